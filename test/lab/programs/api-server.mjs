// node api-server.mjs <address> <folder> <objects.yaml>: a dual-stack API server with our custom resources and these objects; the kubeconfig
// goes into the folder. SIGUSR2 takes it down, SIGHUP brings it back with all that it had, as one that keeps its objects in etcd. It says `down` and
// `up` when that is done. Each line of standard input is something else to do, as JSON, and it says `done` after each: `{ "apply": <YAML> }`,
// `{ "delete": <keys of objects> }`, or `{ "fault": <method of its faults>, "with": <arguments> }`. Whatever it is asked for is done without
// its socket, so also while it is down.
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { KubeApiServer } from '@carillon/kubernetes/testing'
import { parse, parseAllDocuments } from 'yaml'

const [address, folder, file] = process.argv.slice(2)
const crds = fileURLToPath(new URL('../../../deploy/crds', import.meta.url))
const serviceCidrs = ['10.96.0.0/16', 'fd00:96::/112']
const server = await KubeApiServer.start({ host: address, port: 6443, serviceCidrs })
for (const name of readdirSync(crds).filter(one => one.endsWith('.yaml'))) {
  const definition = parse(readFileSync(join(crds, name), 'utf8'))
  // Conversion asks a webhook, which this lab does not have.
  delete definition.spec.conversion
  await server.store.create(definition)
}
for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
  const object = document.toJS()
  const made = await server.store.create(object)
  // As with any API server, what is created has no status yet.
  if (object.status) await server.store.updateStatus({ ...made, status: object.status })
}
process.on('SIGUSR2', () => void server.faults.down().then(() => process.stdout.write('down\n')))
process.on('SIGHUP', () => void server.faults.up().then(() => process.stdout.write('up\n')))
// Without a socket, too, it stays until it is ended.
setInterval(() => {}, 60_000)
writeFileSync(join(folder, 'kubeconfig.new'), server.kubeconfig())
renameSync(join(folder, 'kubeconfig.new'), join(folder, 'kubeconfig'))
for await (const line of createInterface({ input: process.stdin })) {
  const { apply = '', delete: gone = [], fault, with: words = [] } = JSON.parse(line)
  await server.store.apply(apply)
  for (const key of gone) await server.store.delete(key)
  if (fault) await server.faults[fault](...words)
  process.stdout.write('done\n')
}
