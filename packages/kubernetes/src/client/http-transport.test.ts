import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock } from '@carillon/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { certificates } from '../support/certificates.ts'
import { LoopbackServer, type ServerTls } from '../support/loopback-server.ts'
import { adopted } from './adopted.ts'
import { Client } from './client.ts'
import { connect } from './connect.ts'
import type { Access, Credentials } from './credentials.ts'
import { HttpTransport } from './http-transport.ts'
import { inCluster } from './in-cluster.ts'
import { kubeconfig } from './kubeconfig.ts'
import { resourceTypes } from './resource-type.ts'

const { nodes, services } = resourceTypes
const { caOne, caTwo, serverOne, serverOneKey, serverTwo, serverTwoKey } = certificates
const one = { cert: serverOne, key: serverOneKey }
const two = { cert: serverTwo, key: serverTwoKey }

const open: AsyncDisposable[] = []
let folder = ''
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]()
  if (folder !== '') rmSync(folder, { recursive: true })
  folder = ''
})

function keep<T extends AsyncDisposable>(each: T): T {
  open.push(each)
  return each
}

function file(name: string, text: string): string {
  if (folder === '') folder = mkdtempSync(join(tmpdir(), 'carillon-'))
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const emptyList = JSON.stringify({ kind: 'NodeList', metadata: { resourceVersion: '1' }, items: [] })

const answer = (response: ServerResponse, status = 200, body = emptyList): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body)
}

/** A server that lists no nodes for those who show one of these tokens. */
async function guarded(tokens: readonly string[], tls: ServerTls = one, port = 0) {
  const shown: (string | undefined)[] = []
  const server = keep(
    await LoopbackServer.start(
      (request, response) => {
        shown.push(request.headers.authorization)
        answer(
          response,
          tokens.some(token => request.headers.authorization === `Bearer ${token}`) ? 200 : 401,
        )
      },
      tls,
      port,
    ),
  )
  return { server, shown }
}

function clientOf(credentials: Credentials): Client {
  return keep(new Client({ transport: new HttpTransport(credentials), clock: new FakeClock() }))
}

const outcome = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error)

describe('in a pod', () => {
  function mount(token: string, ca = caOne): string {
    file('token', `${token}\n`)
    file('ca.crt', ca)
    file('namespace', 'metallb-system')
    return folder
  }

  const envOf = ({ port }: LoopbackServer) => ({
    KUBERNETES_SERVICE_HOST: '127.0.0.1',
    KUBERNETES_SERVICE_PORT: String(port),
  })

  it('the service account lets in, and names the namespace', async () => {
    const { server, shown } = await guarded(['first'])
    const credentials = await inCluster({ clock: new FakeClock(), env: envOf(server), path: mount('first') })
    expect([credentials.server, credentials.namespace]).toEqual([server.url, 'metallb-system'])
    expect(await clientOf(credentials).list(nodes)).toEqual({ items: [], resourceVersion: '1' })
    expect(shown).toEqual(['Bearer first'])
  })

  it('its token is read again every minute', async () => {
    const { server, shown } = await guarded(['first', 'second'])
    const clock = new FakeClock()
    const client = clientOf(await inCluster({ clock, env: envOf(server), path: mount('first') }))
    await client.list(nodes)
    file('token', 'second')
    clock.advance(59_999)
    await client.list(nodes)
    clock.advance(1)
    await client.list(nodes)
    expect(shown).toEqual(['Bearer first', 'Bearer first', 'Bearer second'])
    expect(server.connections).toBe(1)
  })

  it('its token is read again at once when it is not accepted', async () => {
    const { server, shown } = await guarded(['second'])
    const client = clientOf(
      await inCluster({ clock: new FakeClock(), env: envOf(server), path: mount('first') }),
    )
    file('token', 'second')
    await client.list(nodes)
    expect(shown).toEqual(['Bearer first', 'Bearer second'])
    file('token', 'third')
    const refused = await guarded([])
    const other = clientOf(
      await inCluster({ clock: new FakeClock(), env: envOf(refused.server), path: folder }),
    )
    expect(await outcome(other.list(nodes))).toMatchObject({ code: 'API_UNAUTHORIZED' })
    expect(refused.shown).toHaveLength(2)
  })

  it('a server that no longer shows a certificate of the authority is not talked to, until the authority is replaced', async () => {
    const clock = new FakeClock()
    const first = await guarded(['first'])
    const { port } = first.server
    const client = clientOf(await inCluster({ clock, env: envOf(first.server), path: mount('first') }))
    await client.list(nodes)
    await first.server[Symbol.asyncDispose]()
    const next = await guarded(['first'], two, port)
    expect(await outcome(client.list(nodes))).toMatchObject({ code: 'API_UNTRUSTED' })
    expect(next.shown).toEqual([])
    file('ca.crt', caTwo)
    await client.list(nodes)
    expect(next.shown).toEqual(['Bearer first'])
  })

  it('is where this has to run; elsewhere it says so', async () => {
    expect(await outcome(inCluster({ clock: new FakeClock(), env: {} }))).toMatchObject({
      code: 'CREDENTIALS_UNAVAILABLE',
    })
    const path = mount('first')
    rmSync(join(path, 'token'))
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }
    expect(await outcome(inCluster({ clock: new FakeClock(), env, path }))).toMatchObject({
      code: 'CREDENTIALS_UNAVAILABLE',
      message: `cannot read ${path}/token: there is no such file`,
    })
    file('token', 'x')
    expect((await inCluster({ clock: new FakeClock(), env, path })).server).toBe('https://[fd00::1]:443')
  })
})

describe('a kubeconfig', () => {
  interface Parts {
    readonly server: string
    readonly cluster?: object
    readonly user?: object
  }

  const config = ({ server, cluster, user = {} }: Parts, name = 'config'): string =>
    file(
      name,
      JSON.stringify({
        clusters: [{ name: 'c', cluster: { server, ...cluster } }],
        users: [{ name: 'u', user }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'mine' } }],
        'current-context': 'x',
      }),
    )

  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const trusting = { 'certificate-authority-data': base64(caOne) }

  const load = (path: string, context?: string): Promise<Credentials> =>
    kubeconfig({ clock: new FakeClock(), path, ...(context === undefined ? {} : { context }) })

  it('lets in by a token, and names the namespace', async () => {
    const { server, shown } = await guarded(['t'])
    const credentials = await load(config({ server: server.url, cluster: trusting, user: { token: 't' } }))
    await clientOf(credentials).list(nodes)
    expect([shown, credentials.namespace]).toEqual([['Bearer t'], 'mine'])
  })

  it('lets in by a client certificate in files beside it', async () => {
    const subjects: unknown[] = []
    const server = keep(
      await LoopbackServer.start(
        (request, response) => {
          subjects.push(
            (request.socket as unknown as { getPeerCertificate(): { subject: unknown } }).getPeerCertificate()
              .subject,
          )
          answer(response)
        },
        { ...one, clientCa: caOne },
      ),
    )
    file('ca.crt', caOne)
    file('client.crt', certificates.client)
    file('client.key', certificates.clientKey)
    const user = { 'client-certificate': 'client.crt', 'client-key': 'client.key' }
    const path = config({ server: server.url, cluster: { 'certificate-authority': 'ca.crt' }, user })
    await clientOf(await load(path)).list(nodes)
    expect(subjects).toMatchObject([{ CN: 'speaker' }])
  })

  it('lets in by a file with a token, which is read again', async () => {
    const { server, shown } = await guarded(['b'])
    file('token', 'a\n')
    const path = config({ server: server.url, cluster: trusting, user: { tokenFile: 'token' } })
    const client = clientOf(await load(path))
    file('token', 'b\n')
    await client.list(nodes)
    expect(shown).toEqual(['Bearer a', 'Bearer b'])
  })

  it('lets in by what a program prints, which is run again when that is not accepted', async () => {
    const { server, shown } = await guarded(['t2'])
    const calls = file('calls', '')
    const plugin = file(
      'plugin.mjs',
      `import { appendFileSync, readFileSync } from 'node:fs'
       const { spec, apiVersion } = JSON.parse(process.env.KUBERNETES_EXEC_INFO)
       appendFileSync(${JSON.stringify(calls)}, JSON.stringify(spec) + '\\n')
       const token = 't' + readFileSync(${JSON.stringify(calls)}, 'utf8').trim().split('\\n').length
       console.log(JSON.stringify({ apiVersion, kind: 'ExecCredential', status: { token, expirationTimestamp: '2999-01-01T00:00:00Z' } }))`,
    )
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: [plugin],
      interactiveMode: 'Never',
    }
    const client = clientOf(await load(config({ server: server.url, cluster: trusting, user: { exec } })))
    await client.list(nodes)
    await client.list(nodes)
    expect(shown).toEqual(['Bearer t1', 'Bearer t2', 'Bearer t2'])
  })

  it('says that a program has failed, and what it said', async () => {
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: process.execPath,
      args: ['-e', 'console.error("log in first"); process.exit(1)'],
    }
    expect(await outcome(load(config({ server: 'https://127.0.0.1:1', user: { exec } })))).toMatchObject({
      code: 'CREDENTIALS_UNAVAILABLE',
      message: `user "u" of the kubeconfig cannot be authenticated by ${process.execPath}: log in first`,
    })
  })

  it('lets in by name and password, and on behalf of somebody', async () => {
    const seen: IncomingMessage['headers'][] = []
    const server = keep(
      await LoopbackServer.start((request, response) => {
        seen.push(request.headers)
        answer(response)
      }, one),
    )
    const user = { username: 'a', password: 'b', as: 'jane' }
    const cluster = { 'insecure-skip-tls-verify': true }
    await clientOf(await load(config({ server: server.url, cluster, user }))).list(nodes)
    expect(seen).toMatchObject([{ authorization: `Basic ${base64('a:b')}`, 'impersonate-user': 'jane' }])
  })

  it('may be several files, of which the first that knows a name counts, and another context of them', async () => {
    const { server } = await guarded(['t'])
    const first = file(
      'first',
      JSON.stringify({ contexts: [{ name: 'y', context: { cluster: 'c', user: 'u' } }] }),
    )
    const second = config({ server: server.url, cluster: trusting, user: { token: 't' } })
    const credentials = await load(`${first}:${second}`, 'y')
    expect([credentials.server, credentials.namespace]).toEqual([server.url, undefined])
  })

  it.each([
    ['', 'it is empty'],
    ['{ a: ', 'Flow map must end with a }'],
    [JSON.stringify({ clusters: [{ name: 'c' }] }), 'clusters[0].cluster is missing'],
    [JSON.stringify({}), 'it has no current-context: name a context'],
    [JSON.stringify({ 'current-context': 'z' }), 'there is no context "z"'],
  ])('that cannot be used is refused: %s', async (text, why) => {
    const path = file('config', text)
    const error = await outcome(load(path))
    expect(error).toMatchObject({ code: 'BAD_KUBECONFIG' })
    expect((error as Error).message).toContain(`kubeconfig ${path}: ${why}`)
  })

  it('that asks for what is not supported is refused, and says what to do', async () => {
    const server = 'https://127.0.0.1:1'
    expect(await outcome(load('/nowhere/at/all'))).toMatchObject({
      code: 'BAD_KUBECONFIG',
      message: 'kubeconfig /nowhere/at/all: there is no such file',
    })
    expect(await outcome(load(config({ server, user: { 'auth-provider': { name: 'gcp' } } })))).toMatchObject(
      {
        message: expect.stringContaining(
          'auth-provider "gcp" of user "u" is not supported: use an exec plugin',
        ),
      },
    )
    expect(await outcome(load(config({ server, cluster: { 'proxy-url': 'http://x' } })))).toMatchObject({
      message: expect.stringContaining('proxy-url of cluster "c" is not supported'),
    })
  })

  it('is found where kubectl finds it', async () => {
    const { server } = await guarded(['t'])
    const path = config({ server: server.url, cluster: trusting, user: { token: 't' } })
    const { client, namespace } = await connect({ env: { KUBECONFIG: path } })
    await keep(client).list(nodes)
    expect(namespace).toBe('mine')
    expect(await outcome(connect({ env: { KUBERNETES_SERVICE_HOST: '127.0.0.1' } }))).toMatchObject({
      code: 'CREDENTIALS_UNAVAILABLE',
    })
  })
})

it('a KubeConfig that a program has made for itself lets in', async () => {
  const { server, shown } = await guarded(['own'])
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  config.loadFromClusterAndUser(
    { name: 'c', server: server.url, caData: Buffer.from(caOne).toString('base64'), skipTLSVerify: false },
    { name: 'u', token: 'own' },
  )
  await clientOf(adopted(config, new FakeClock())).list(nodes)
  expect(shown).toEqual(['Bearer own'])
  expect(() => adopted(new KubeConfig(), new FakeClock())).toThrow('has no current cluster')
})

describe('a connection', () => {
  const access: Access = { headers: {}, tls: {} }
  const plain = (url: string): Credentials => ({ server: url, access: async () => access, renew: () => {} })

  it('is used again for the next request', async () => {
    const server = keep(await LoopbackServer.start((_, response) => answer(response)))
    const client = clientOf(plain(server.url))
    for (let i = 0; i < 5; i++) await client.list(nodes)
    expect(server.connections).toBe(1)
  })

  it('that the server has closed meanwhile costs a question nothing', async () => {
    let requests = 0
    const server = keep(
      await LoopbackServer.start((request, response) => {
        requests++
        if (requests === 2) request.socket.destroy()
        else answer(response)
      }),
    )
    const client = clientOf(plain(server.url))
    await client.list(nodes)
    await client.list(nodes)
    expect([requests, server.connections]).toEqual([3, 2])
  })

  it('that breaks in the middle of a change is an error: nobody knows whether it was made', async () => {
    let requests = 0
    const server = keep(
      await LoopbackServer.start((request, response) => {
        requests++
        if (requests === 2) request.socket.destroy()
        else answer(response)
      }),
    )
    const client = clientOf(plain(server.url))
    await client.list(nodes)
    const patched = outcome(client.patch(services, { namespace: 'a', name: 'b' }, {}))
    expect(await patched).toMatchObject({ code: 'API_UNREACHABLE' })
    expect(requests).toBe(2)
  })

  it('that nobody answers is an error that names the server', async () => {
    const server = await LoopbackServer.start(() => {})
    const { url } = server
    await server[Symbol.asyncDispose]()
    expect(await outcome(clientOf(plain(url)).list(nodes))).toMatchObject({
      code: 'API_UNREACHABLE',
      message: `cannot list nodes: ${url} is out of reach: nobody listens there`,
    })
  })

  it('of a watch ends when the watch is given up, and its events come as they are sent', async () => {
    const closed = new Promise<void>(resolve => {
      void LoopbackServer.start((request, response) => {
        response.writeHead(200)
        response.write('{"type":"ADDED","object":{"metadata":{"name":"n","resourceVersion":"3"}}}\n')
        request.on('close', () => resolve())
      }).then(async server => {
        const stop = new AbortController()
        await outcome(
          clientOf(plain(keep(server).url)).watch(nodes, {
            resourceVersion: '1',
            timeoutSeconds: 100,
            opened: () => {},
            events: events => {
              if (events[0]?.resourceVersion === '3') stop.abort()
            },
            signal: stop.signal,
          }),
        )
      })
    })
    await closed
  })

  it('may lead below a path, and what is sent arrives whole', async () => {
    const bodies: string[] = []
    const server = keep(
      await LoopbackServer.start((request, response) => {
        let body = `${request.method} ${request.url} ${request.headers['content-type']} `
        request.on('data', chunk => {
          body += chunk
        })
        request.on('end', () => {
          bodies.push(body)
          answer(response)
        })
      }),
    )
    const client = clientOf(plain(`${server.url}/clusters/one/`))
    await client.patch(
      services,
      { namespace: 'a', name: 'b', subresource: 'status' },
      { ä: 1 },
      { type: 'apply', fieldManager: 'me' },
    )
    expect(bodies).toEqual([
      'PATCH /clusters/one/api/v1/namespaces/a/services/b/status?fieldManager=me application/apply-patch+yaml {"ä":1}',
    ])
  })
})
