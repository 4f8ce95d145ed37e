// What a test of a controller does with the API server for tests. Prints one line for each thing that it finds.
import { stdout } from 'node:process'
import { KubeApiServer } from '@carillon/kubernetes/testing'
import { KubeConfig, type V1ServiceStatus } from '@kubernetes/client-node'
import { run } from './controller.ts'

const print = (line: string): void => void stdout.write(`${line}\n`)

await using server = await KubeApiServer.start()
const config = new KubeConfig()
config.loadFromString(server.kubeconfig())
const stop = new AbortController()
const running = run(config, ['192.0.2.1', '192.0.2.2'], stop.signal)

/** Makes a Service, and waits until it has an address. */
async function address(name: string): Promise<string> {
  await server.store.apply(`
    apiVersion: v1
    kind: Service
    metadata: { name: ${name} }
    spec: { type: LoadBalancer, ports: [{ port: 80 }] }
  `)
  for (;;) {
    const service = await server.store.get({ apiVersion: 'v1', kind: 'Service', name })
    const status = service?.status as V1ServiceStatus | undefined
    const [first] = status?.loadBalancer?.ingress ?? []
    if (first?.ip !== undefined) return first.ip
    await new Promise(resolve => setImmediate(resolve))
  }
}

print(`web has ${await address('web')}`)

// The history is gone, the watch ends: does the controller recover?
server.faults.gone()
print(`api has ${await address('api')}`)

// One write for each Service, and none in vain.
print(`${server.requests.writes('services/status')} writes`)

stop.abort()
await running
