import { CarillonError, type Network } from '@carillon/core'
import type { KernelFacts, Trial } from '../kernel.ts'
import { fileNumber, fileText } from './proc.ts'

/** Opens something and closes it again. */
async function attempt(open: () => Promise<AsyncDisposable>): Promise<Trial> {
  try {
    const opened = await open()
    await opened[Symbol.asyncDispose]()
    return undefined
  } catch (error) {
    return error instanceof CarillonError ? error.code : String(error)
  }
}

/** Drops everything: one instruction, `ret 0`. */
const dropAll = [{ code: 0x06, jt: 0, jf: 0, k: 0 }]

const loopback = { address: '127.0.0.1', port: 0 }

/** Tries what the announcers need, on the loopback, where it disturbs nobody. */
export async function probeKernel(network: Network): Promise<KernelFacts> {
  const listening = { md5: [{ address: '127.0.0.1', key: 'doctor' }] }
  return {
    frames: await attempt(() => network.frames(1, 0x0806, dropAll)),
    md5: await attempt(() => network.listen(loopback, listening)),
    device: await attempt(() => network.datagrams(loopback, { device: 'lo' })),
    minimumTtl: await attempt(() => network.datagrams(loopback, { minimumTtl: 255 })),
    ipv6: await ipv6IsOn(),
    vrf: (await fileText('/proc/sys/net/ipv4/tcp_l3mdev_accept')) !== undefined,
  }
}

async function ipv6IsOn(): Promise<boolean | undefined> {
  const disabled = await fileNumber('/proc/sys/net/ipv6/conf/all/disable_ipv6')
  return disabled === undefined ? undefined : disabled === 0
}
