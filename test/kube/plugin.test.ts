import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
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

describe('kubectl carillon', () => {
  let server: KubeApiServer
  let kubectl: Kubectl
  let folder: string
  let speaker: ChildProcess | undefined
  let port: number
  let real: string

  const environment = (more: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => ({
    PATH: `${folder}/bin:${env.PATH ?? ''}`,
    HOME: folder,
    KUBECONFIG: join(folder, 'config'),
    ...more,
  })

  /** `kubectl carillon …`; kubectl takes no flags of its own before the name of a plug-in. */
  const carillon = (args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ran> =>
    new Promise(resolve => {
      execFile(real, ['carillon', ...args], { env: environment(more) }, (error, out, err) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err })
      })
    })

  const ask = (...args: readonly string[]): Promise<Ran> => carillon(args)

  /** `events --follow` about a node's speaker, by the plug-in itself, which kubectl becomes. */
  const follow = (node: string, more: Readonly<Record<string, string>> = {}) => {
    const words = [join(bin, 'kubectl-carillon.js'), 'events', '--follow', '--json', '--node', node]
    const follower = spawn(execPath, words, { env: environment(more), stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, err] = ['', '']
    follower.stdout.on('data', chunk => {
      out += chunk
    })
    follower.stderr.on('data', chunk => {
      err += chunk
    })
    const ended = new Promise(resolve => follower.once('exit', (...how) => resolve(how)))
    const hears = (what: string): Promise<string> =>
      eventually(
        async () => out + err,
        text => text.includes(what),
      )
    return { follower, ended, heard: () => ({ out, err }), hears }
  }

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
  })
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
    const { follower, ended, heard, hears } = follow('node-b')
    await hears('\n')
    expect(JSON.parse(heard().out.split('\n')[0] ?? '')).toMatchObject({ type: 'started' })
    follower.kill('SIGINT')
    expect([await ended, heard().err]).toEqual([[0, null], ''])
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

  describe('where the speaker serves on loopback alone', () => {
    const forwarders = (): readonly number[] => {
      const file = join(folder, 'forwarders')
      return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : []
    }
    const runs = (pid: number): boolean => existsSync(`/proc/${pid}`)
    const through = () => ({
      PATH: `${folder}/fake:${folder}/bin:${env.PATH}`,
      REAL_KUBECTL: real,
      POD_ADDRESS: `127.0.0.1:${port}`,
      FORWARDERS: join(folder, 'forwarders'),
    })

    beforeAll(() => {
      if (why !== undefined) return
      mkdirSync(join(folder, 'fake'))
      symlinkSync(at('./support/forwarding-kubectl.mjs'), join(folder, 'fake', 'kubectl'))
    })

    it('forwards a port', async () => {
      const { code, out, err } = await carillon(['status', '--node', 'node-c'], through())
      expect(err).toBe('')
      expect(out).toMatch(/^default\/web +192\.0\.2\.1 +node-a /m)
      expect(code).toBe(0)
    })

    it('forwards another one when the connection breaks, and leaves none behind', async () => {
      const before = forwarders().length
      const { follower, ended, hears } = follow('node-c', through())
      await hears('"started"')
      const [first = 0] = forwarders().slice(before)
      process.kill(first, 'SIGUSR2')
      await hears('answers again')
      const [, second = 0] = forwarders().slice(before)
      await eventually(
        async () => [runs(first), runs(second)],
        ([old, now]) => old === false && now === true,
      )
      follower.kill('SIGINT')
      expect(await ended).toEqual([0, null])
      await eventually(
        async () => runs(second),
        there => !there,
      )
    })
  })

  it('is wrong usage where it is', async () => {
    expect((await carillon(['nonsense'])).err).toMatch(/^kubectl carillon: unknown command 'nonsense'/)
    const { code, out } = await carillon(['--help'])
    expect(out).toContain('Usage: kubectl-carillon')
    expect(code).toBe(0)
  })
})
