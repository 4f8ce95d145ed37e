// node secured-api-server.mjs <address> <folder> <objects.yaml> <CIDR,...> <namespace> <account>...: an API server as a cluster has it, with TLS, and roles
// that decide, which holds these objects. What kubelet gives the pods of each account, `ca.crt`, `namespace` and `token`, goes into a folder of
// the account's name; what an administrator has, `kubeconfig`, comes last.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KubeApiServer } from '@carillon/kubernetes/testing'
import { parseAllDocuments } from 'yaml'

const [address, folder, file, cidrs, namespace, ...accounts] = process.argv.slice(2)
const server = await KubeApiServer.start({
  host: address,
  port: 6443,
  serviceCidrs: cidrs.split(','),
  tls: true,
  authorize: true,
})
const objects = parseAllDocuments(readFileSync(file, 'utf8')).map(document => document.toJS())
await server.store.apply(objects)
// As with any API server, what is applied has no status yet.
for (const object of objects) if (object.status) await server.store.updateStatus(object)
for (const account of accounts) {
  const files = {
    'ca.crt': server.authority.certificate,
    namespace,
    token: server.serviceAccountToken(namespace, account),
  }
  mkdirSync(join(folder, account))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, account, name), text)
}
writeFileSync(join(folder, 'kubeconfig.new'), server.kubeconfig())
renameSync(join(folder, 'kubeconfig.new'), join(folder, 'kubeconfig'))
