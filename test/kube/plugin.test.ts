import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env, execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { KubeApiServer } from '@carillon/kubernetes/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { missing } from '../support/missing.ts'
import { eventually } from './support/eventually.ts'
import { Kubectl, type Ran } from './support/kubectl.ts'

const why = missing('kubectl')
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const bin = at('../../packages/cli/bin/')

const manifests = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: first }
spec: { addresses: [192.0.2.0/29] }
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: all }
---
apiVersion: v1
kind: Service
metadata: { name: web, annotations: { metallb.io/loadBalancerIPs: 192.0.2.1 } }
spec: { type: LoadBalancer, ports: [{ port: 80 }] }
`

const role = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: ask }
rules:
  - { apiGroups: [''], resources: [pods], verbs: [list] }
  - { apiGroups: [''], resources: [pods/proxy], verbs: [get] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: ask }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: ask }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: reader }]
`

const namespace = 'metallb-system'

// Each question is a kubectl that starts another one: on a busy machine that takes its time.
describe('kubectl carillon', { timeout: 120_000 }, () => {
  let server: KubeApiServer
  let kubectl: Kubectl
  let folder: string
  let speaker: ChildProcess | undefined
  let port: number
  let real: string

  /** `kubectl carillon …`; kubectl takes no flags of its own before the name of a plug-in. */
  const carillon = (args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ran> =>
    new Promise(resolve => {
      const { PATH = '' } = env
      const given = {
        PATH: `${folder}/bin:${PATH}`,
        HOME: folder,
        KUBECONFIG: join(folder, 'config'),
        ...more,
      }
      execFile(real, ['carillon', ...args], { env: given }, (error, out, err) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err })
      })
    })

  const ask = (...args: readonly string[]): Promise<Ran> => carillon(args)

  /** A pod of the DaemonSet on a node; the speaker of this test is in every one of them. */
  const pod = async (name: string, node: string, container: object, phase = 'Running'): Promise<void> => {
    const labels = { 'carillon.io/process': 'speaker' }
    const spec = { nodeName: node, containers: [{ name: 'speaker', image: 'carillon', ...container }] }
    const ready = { type: 'Ready', status: name === 'late' ? 'False' : 'True' }
    const status = { phase, podIP: '127.0.0.1', conditions: [ready] }
    const metadata = { name, namespace, labels }
    const made = await server.store.create({ apiVersion: 'v1', kind: 'Pod', metadata, spec })
    await server.store.updateStatus({ ...made, status })
  }

  /** A configuration of kubectl for a user. */
  const as = (name: string): string => server.kubeconfig({ token: server.token({ name, groups: [] }) })

  beforeAll(async () => {
    if (why !== undefined) return
    folder = mkdtempSync(join(tmpdir(), 'carillon-plugin-'))
    mkdirSync(join(folder, 'bin'))
    symlinkSync(join(bin, 'kubectl-carillon.js'), join(folder, 'bin', 'kubectl-carillon'))
    writeFileSync(join(folder, 'cluster.yaml'), manifests)
    port = await freePort()
    const quiet = ['--gossip-bind', `127.0.0.1:${await freePort()}`, '--exclude-interfaces', '.*']
    const words = ['run', '--node', 'node-a', '--manifests', folder, '--http', `127.0.0.1:${port}`, ...quiet]
    speaker = spawn(execPath, [join(bin, 'carillon.js'), ...words], { stdio: 'ignore' })
    // kubectl sends credentials over TLS alone.
    server = await KubeApiServer.start({ tls: true, authorize: true })
    await server.store.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    writeFileSync(join(folder, 'config'), as('reader'))
    writeFileSync(join(folder, 'config-of-nobody'), as('nobody'))
    real = execFileSync('which', ['kubectl'], { encoding: 'utf8' }).trim()
    kubectl = new Kubectl(server.kubeconfig(), namespace)
    await kubectl.must(['apply', '-f', '-'], role)
    await pod('late', 'node-a', { args: ['speaker', `--port=${port}`] })
    await pod('open', 'node-b', { args: ['speaker', `--port=${port}`] })
    await pod('shut', 'node-c', { args: ['speaker'] })
    await pod('done', 'node-d', { args: ['speaker', `--port=${port}`] }, 'Succeeded')
    await eventually(
      async () => (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.ok === true,
      ok => ok,
    )
  }, 60_000)
  beforeEach(context => context.skip(why !== undefined, why))
  afterAll(async () => {
    speaker?.kill()
    kubectl?.[Symbol.dispose]()
    await server?.stop()
    if (folder) rmSync(folder, { recursive: true, force: true })
  })

  it('asks a speaker that is ready through the proxy of the API server', async () => {
    const { code, out, err } = await ask('status')
    expect(err).toBe('')
    expect(out).toMatch(/^node-a {2}carillon .*configuration valid/m)
    expect(out).toMatch(/^default\/web +192\.0\.2\.1 +node-a /m)
    expect(code).toBe(0)
  })

  it('asks the speaker of a node, about an address, a Service, pools and events', async () => {
    expect((await ask('where', '192.0.2.1', '--node', 'node-a')).out).toMatch(/^default\/web .* is at node-a/)
    expect((await ask('explain', 'default/web', '--json')).out).toContain('"asSeenBy": "node-a"')
    expect((await ask('pools')).out).toMatch(/^first +#\.+ +1 +7 /m)
    expect((await ask('events')).out).toContain('nobody -> node-a')
  })

  it('follows the events of a speaker through the proxy until it is interrupted', async () => {
    const { PATH = '' } = env
    const given = { PATH: `${folder}/bin:${PATH}`, HOME: folder, KUBECONFIG: join(folder, 'config') }
    // The plug-in itself, which kubectl becomes.
    const words = [join(bin, 'kubectl-carillon.js'), 'events', '--follow', '--json', '--node', 'node-b']
    const child = spawn(execPath, words, { env: given, stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, err] = ['', '']
    child.stdout.on('data', chunk => {
      out += chunk
    })
    child.stderr.on('data', chunk => {
      err += chunk
    })
    const ended = new Promise(resolve => child.once('exit', (...how) => resolve(how)))
    await eventually(
      async () => `${out}${err}`,
      text => text.includes('\n'),
      60_000,
    )
    expect(JSON.parse(out.split('\n')[0] ?? '')).toMatchObject({ type: 'started' })
    child.kill('SIGINT')
    expect([await ended, err]).toEqual([[0, null], ''])
  })

  it('names the nodes with speakers where the one that was asked for has none', async () => {
    const { code, err } = await ask('status', '--node', 'node-d')
    expect(err).toMatch(
      /^kubectl carillon: no speaker runs on node-d .*; speakers run on node-a, node-b, node-c\n/,
    )
    expect(code).toBe(1)
    expect((await ask('status', '--selector', 'app=other')).err).toContain('there is no such pod')
  })

  it('passes on what kubectl says: a speaker that is not there, or too few rights', async () => {
    const gone = await ask('status', '--pod-port', '1')
    expect(gone.err).toMatch(
      /^kubectl carillon: kubectl says: .*error trying to reach service: .*ECONNREFUSED/,
    )
    expect(gone.code).toBe(1)
    const limited = await ask('status', '--kubeconfig', join(folder, 'config-of-nobody'))
    expect(limited.err).toMatch(/^kubectl carillon: kubectl says: .*forbidden/)
  })

  it('forwards a port where the speaker serves on loopback alone', async () => {
    mkdirSync(join(folder, 'fake'))
    symlinkSync(at('./support/forwarding-kubectl.mjs'), join(folder, 'fake', 'kubectl'))
    const { code, out, err } = await carillon(['status', '--node', 'node-c'], {
      PATH: `${folder}/fake:${folder}/bin:${env.PATH}`,
      REAL_KUBECTL: real,
      POD_ADDRESS: `127.0.0.1:${port}`,
    })
    expect(err).toBe('')
    expect(out).toMatch(/^default\/web +192\.0\.2\.1 +node-a /m)
    expect(code).toBe(0)
  })

  it('is wrong usage where it is', async () => {
    expect((await carillon(['nonsense'])).err).toMatch(/^kubectl carillon: unknown command 'nonsense'/)
    const { code, out } = await carillon(['--help'])
    expect(out).toContain('Usage: kubectl-carillon')
    expect(code).toBe(0)
  })
})
