import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv, stdin, stdout } from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { KubeApiServer, type NewObject } from '@carillon/kubernetes/testing'
import { parse } from 'yaml'
import { cluster, service } from './objects.ts'

// An API server with a cluster in it: `api-server.js ADDRESS KUBECONFIG POD-ADDRESS`. It is told what to do line by line, and answers each with one
// line: `services COUNT` makes that many Services, with their EndpointSlices; `writes` tells of the requests since then that write.
const [address = '', kubeconfig = '', podAddress = ''] = argv.slice(2)
// This file runs compiled, in node_modules/.cache/bench/support/kubernetes.
const crds = fileURLToPath(new URL('../../../../../deploy/crds', import.meta.url))

const server = await KubeApiServer.start({ host: address, nodePorts: [10_000, 65_000] })

async function make(object: NewObject): Promise<void> {
  const made = await server.store.create(object)
  // As with any API server, what is created has no status yet.
  if (object.status !== undefined) await server.store.updateStatus({ ...made, status: object.status })
}

async function answer(word: string, count: number): Promise<unknown> {
  if (word === 'writes')
    return {
      services: server.requests.writes('services/status') + server.requests.writes('services'),
      all: server.requests.writes(),
    }
  for (let i = 0; i < count; i++) for (const object of service(`web-${i}`, i)) await make(object)
  server.requests.reset()
  return {}
}

for (const name of readdirSync(crds).filter(one => one.endsWith('.yaml'))) {
  const definition = parse(readFileSync(join(crds, name), 'utf8'))
  // Conversion asks a webhook, which is not there.
  delete definition.spec.conversion
  await make(definition)
}
for (const object of cluster(podAddress)) await make(object)
writeFileSync(kubeconfig, server.kubeconfig())

const lines = createInterface(stdin)
stdout.write('{}\n')
for await (const line of lines) {
  const [word = '', count] = line.split(' ')
  stdout.write(`${JSON.stringify(await answer(word, Number(count)))}\n`)
}
