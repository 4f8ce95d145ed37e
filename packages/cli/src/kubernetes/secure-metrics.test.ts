import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock, RecordingLogger } from '@carillon/core/testing'
import { type Client, connect } from '@carillon/kubernetes'
import { CertificateAuthority, KubeApiServer } from '@carillon/kubernetes/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { prometheusMetrics } from '../http/metrics.ts'
import type { HttpServer } from '../http/server.ts'
import { type SecureMetricsOptions, serveSecureMetrics } from './secure-metrics.ts'

const rbac = 'rbac.authorization.k8s.io'
const roles = [
  {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'asks' },
    rules: [
      { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
      { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
    ],
  },
  {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'reads' },
    rules: [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }],
  },
  ...(
    [
      ['asks', 'speaker'],
      ['reads', 'prometheus'],
    ] as const
  ).map(([name, account]) => ({
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'default' }],
  })),
]

let folder: string
let api: KubeApiServer
let client: Client
let door: HttpServer | undefined
let clock: FakeClock

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'carillon-'))
  api = await KubeApiServer.start({ authorize: true })
  await api.store.apply(roles)
  const path = join(folder, 'kubeconfig')
  writeFileSync(path, api.kubeconfig({ token: api.serviceAccountToken('default', 'speaker') }))
  client = (await connect({ kubeconfig: path })).client
  clock = new FakeClock()
})
afterEach(async () => {
  await door?.[Symbol.asyncDispose]()
  await client[Symbol.asyncDispose]()
  await api.stop()
  rmSync(folder, { recursive: true })
})

async function serve(options: SecureMetricsOptions = {}): Promise<void> {
  const metrics = prometheusMetrics()
  metrics.gauge('carillon_test', 'a number').set(7)
  const log = new RecordingLogger()
  door = await serveSecureMetrics({ address: '127.0.0.1', port: 0 }, options, { client, clock, log, metrics })
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Readonly<Record<string, unknown>>
}

/** @param ca whom to trust; absent: whoever it is */
function ask(
  token: string | undefined,
  { path = '/metrics', method = 'GET', ca }: { path?: string; method?: string; ca?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request(
      {
        host: '127.0.0.1',
        port: door?.at.port,
        path,
        method,
        agent: false,
        ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      },
      response => {
        let text = ''
        response.on('data', chunk => {
          text += chunk
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
        )
      },
    )
    asking.on('error', reject)
    asking.end()
  })
}

const tokenOf = (account: string): string => api.serviceAccountToken('default', account)

describe('metrics over TLS', () => {
  it('are for those who may get them by the roles of the cluster', async () => {
    await serve()
    const { status, text, headers } = await ask(tokenOf('prometheus'))
    expect(status).toBe(200)
    expect(text).toMatch(/^carillon_test 7$/m)
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
  })

  it('are for nobody else', async () => {
    await serve()
    expect(await ask(undefined)).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } })
    expect(await ask('made-up')).toMatchObject({ status: 401 })
    const other = await ask(tokenOf('default'))
    expect(other).toMatchObject({ status: 403, text: expect.stringContaining('nonResourceURLs') })
    expect(other.text).not.toContain('carillon_test')
  })

  it('are all that is there', async () => {
    await serve()
    for (const path of ['/', '/healthz', '/api/v1/status', '/metrics/../api/v1/status'])
      expect(await ask(tokenOf('prometheus'), { path })).toMatchObject({ status: 404 })
    expect(await ask(tokenOf('prometheus'), { method: 'POST' })).toMatchObject({ status: 405 })
    expect(await ask(tokenOf('prometheus'), { method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
  })

  it('ask the API server twice a minute and reader at most', async () => {
    await serve()
    const token = tokenOf('prometheus')
    api.requests.reset()
    for (let i = 0; i < 5; i++) expect((await ask(token)).status).toBe(200)
    expect(api.requests.count('create', 'tokenreviews.authentication.k8s.io')).toBe(1)
    expect(api.requests.count('create', 'subjectaccessreviews.authorization.k8s.io')).toBe(1)
  })

  it('go on while the API server is away, for those who were let in before, for ten minutes', async () => {
    await serve()
    const token = tokenOf('prometheus')
    const stranger = tokenOf('default')
    expect((await ask(token)).status).toBe(200)
    await api.faults.down()
    clock.advance(599_000)
    expect((await ask(token)).status).toBe(200)
    expect(await ask(stranger)).toMatchObject({ status: 503, headers: { 'retry-after': '10' } })
    clock.advance(1000)
    expect((await ask(token)).status).toBe(503)
    await api.faults.up()
    expect((await ask(token)).status).toBe(200)
  })

  it('show a certificate from a mounted folder, and refuse to start without one that can be used', async () => {
    const authority = new CertificateAuthority()
    await expect(serve({ metricsCertDir: folder })).rejects.toMatchObject({ code: 'CERTIFICATE_UNUSABLE' })
    const { certificate, key } = authority.issue({ commonName: 'metrics', hosts: ['127.0.0.1'] })
    writeFileSync(join(folder, 'tls.crt'), certificate)
    writeFileSync(join(folder, 'tls.key'), key)
    await serve({ metricsCertDir: folder })
    expect((await ask(tokenOf('prometheus'), { ca: authority.certificate })).status).toBe(200)
  })

  it('take the words of MetalLB’s flags for TLS, and refuse others', async () => {
    await expect(serve({ tlsMinVersion: 'VersionTLS10' })).rejects.toMatchObject({ code: 'BAD_TLS_OPTION' })
  })
})
