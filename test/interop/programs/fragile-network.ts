// The host's own network, for a thread that is to die: a datagram to port 9 of 127.0.0.9 ends it. `CARILLON_BROKEN` names a file; while
// it exists there is no network at all.
import { existsSync } from 'node:fs'
import type { Network } from '@carillon/core'
import { systemNetwork } from '@carillon/sockets'

const { CARILLON_BROKEN: broken = '' } = process.env
if (existsSync(broken)) throw new Error('the network is broken')

export const network: Network = systemNetwork()
const deathbed = await network.datagrams({ address: '127.0.0.9', port: 9 })
deathbed.receive(() => process.exit(7))
