// Two ends in threads of their own come up with each other; then both are closed, and nothing keeps the process alive.
import { Bfd } from '@carillon/bgp/bfd'

const network = { module: import.meta.resolve('@carillon/sockets') }
const profile = { transmitIntervalMs: 50, receiveIntervalMs: 50 }
const [a, b] = [new Bfd({ network }), new Bfd({ network })]
const near = a.session({ peer: '127.0.0.2', local: '127.0.0.1', profile })
const far = b.session({ peer: '127.0.0.1', local: '127.0.0.2', profile })
const said: string[] = []
far.on('session:down', ({ cause }) => said.push(cause))
await Promise.all([near, far].map(session => new Promise(resolve => session.once('session:up', resolve))))
await near.close()
await new Promise(resolve => setTimeout(resolve, 100))
await far.close()
process.stdout.write(JSON.stringify(said))
