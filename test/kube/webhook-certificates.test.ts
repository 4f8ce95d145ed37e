import { Buffer } from 'node:buffer'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { FakeClock } from '@carillon/core/testing'
import { managedAnnotation, webhookConfiguration } from '@carillon/kubernetes'
import { KubeApiServer, type KubeObject } from '@carillon/kubernetes/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Json } from './support/api.ts'
import { Hooks, type HooksOptions } from './support/hooks.ts'
import { until } from './support/story.ts'

const crds = fileURLToPath(new URL('../../deploy/crds', import.meta.url))
const namespace = 'metallb-system'
const hourMs = 3_600_000
const dayMs = 24 * hourMs

const secretKey = { apiVersion: 'v1', kind: 'Secret', namespace, name: 'metallb-webhook-cert' }
const configurationKey = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  name: 'metallb-webhook-configuration',
}
const definitionKey = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  name: 'bgppeers.metallb.io',
}

/** Webhooks behind their Service; calls go to the replicas in turn. */
class Cluster implements AsyncDisposable {
  readonly server: KubeApiServer
  readonly replicas: Hooks[]
  #made = 0

  private constructor(server: KubeApiServer, replicas: Hooks[]) {
    this.server = server
    this.replicas = replicas
  }

  static async start(): Promise<Cluster> {
    const replicas: Hooks[] = []
    let turn = 0
    const server = await KubeApiServer.start({
      services: ({ name }) =>
        name === 'metallb-webhook-service' && replicas.length > 0
          ? replicas[turn++ % replicas.length]?.url
          : undefined,
    })
    await server.store.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    for (const file of readdirSync(crds).filter(name => name.endsWith('.yaml')))
      await server.store.create(parse(readFileSync(join(crds, file), 'utf8')))
    await server.store.create(webhookConfiguration({ namespace }) as Json)
    return new Cluster(server, replicas)
  }

  /** Replicas that all begin at once. */
  async begin(count: number, options: HooksOptions): Promise<void> {
    const kubeconfig = this.server.kubeconfig()
    const made = await Promise.all(
      Array.from({ length: count }, () => Hooks.start(kubeconfig, namespace, options)),
    )
    this.replicas.push(...made)
  }

  async secret(): Promise<Readonly<Record<string, string>>> {
    const { data = {} } = ((await this.server.store.get(secretKey)) ?? {}) as {
      data?: Record<string, string>
    }
    return Object.fromEntries(
      Object.entries(data).map(([file, text]) => [file, Buffer.from(text, 'base64').toString()]),
    )
  }

  /** Whom the API server trusts, webhook by webhook; each once. */
  async trusted(): Promise<readonly string[]> {
    const [configuration, definition] = (await Promise.all([
      this.server.store.get(configurationKey),
      this.server.store.get(definitionKey),
    ])) as [Json, Json]
    const configs = [...configuration.webhooks, definition.spec.conversion.webhook].map(
      (one: Json) => one.clientConfig,
    )
    const bundles = configs.map((config: Json) => Buffer.from(config.caBundle ?? '', 'base64').toString())
    return [...new Set(bundles)]
  }

  /** Stores something that takes an admission and a conversion; throws when the webhooks cannot be called. */
  async call(): Promise<void> {
    this.#made++
    const name = `peer-${this.#made}`
    await this.server.store.create({
      apiVersion: 'metallb.io/v1beta1',
      kind: 'BGPPeer',
      metadata: { name, namespace },
      spec: { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1' },
    })
    await this.server.store.delete({ apiVersion: 'metallb.io/v1beta2', kind: 'BGPPeer', namespace, name })
  }

  /** Connects to each replica anew, as one who trusts what the API server trusts; throws when that is not enough. */
  async connect(): Promise<void> {
    for (const ca of await this.trusted())
      for (const { server } of this.replicas) await handshake(server.local.port, ca)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const replica of this.replicas) await replica[Symbol.asyncDispose]()
    await this.server.stop()
  }
}

function handshake(port: number, ca: string): Promise<void> {
  const servername = `metallb-webhook-service.${namespace}.svc`
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca, servername }, () => {
      socket.destroy()
      resolve()
    })
    socket.on('error', reject)
  })
}

let cluster: Cluster
beforeEach(async () => {
  cluster = await Cluster.start()
})
afterEach(() => cluster[Symbol.asyncDispose]())

/** A clock that TLS, which goes by the real one, can live with: what is valid at its time is valid now. */
const clockFrom = (ms: number): FakeClock => new FakeClock(new Date(Date.now() - ms))

/** Lets the next looks happen, and waits until they are over: then each replica waits for the next again. */
async function look(clock: FakeClock, ms: number, replicas = cluster.replicas.length): Promise<void> {
  clock.advance(ms)
  await until(() => clock.pending === replicas)
}

const blocks = (text = ''): number => text.split('-----BEGIN CERTIFICATE-----').length - 1

describe('a cluster without certificates', () => {
  it('has them once a controller has started, and its webhooks can be called', async () => {
    await cluster.begin(1, { clock: clockFrom(0) })
    await cluster.call()
    const secret = await cluster.secret()
    expect(Object.keys(secret).sort()).toEqual(['ca.crt', 'ca.key', 'tls.crt', 'tls.key'])
    expect(await cluster.trusted()).toEqual([secret['ca.crt']])
  })

  it('gets one authority from two that start at once', async () => {
    for (let round = 0; round < 5; round++) {
      await using other = await Cluster.start()
      await other.begin(2, { clock: clockFrom(0) })
      const secret = await other.secret()
      expect(blocks(secret['ca.crt'])).toBe(1)
      for (const { certificates } of other.replicas)
        expect(certificates.current()).toEqual({ certificate: secret['tls.crt'], key: secret['tls.key'] })
      expect(await other.trusted()).toEqual([secret['ca.crt']])
      for (let i = 0; i < 4; i++) await other.call()
    }
  })

  it('uses the empty Secret that MetalLB installs, and keeps what else is in it', async () => {
    await cluster.server.store.create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'metallb-webhook-cert', namespace, labels: { keep: 'me' } },
      data: { note: 'bWluZQ==' },
    })
    await cluster.begin(1, { clock: clockFrom(0) })
    await cluster.call()
    const { metadata, data } = (await cluster.server.store.get(secretKey)) as KubeObject & { data: object }
    expect(metadata.labels).toEqual({ keep: 'me' })
    expect(data).toMatchObject({ note: 'bWluZQ==', 'ca.crt': expect.any(String) })
  })

  it('waits for the API server to come back', async () => {
    const clock = clockFrom(0)
    await cluster.server.faults.down()
    const hooks = await Hooks.prepare(cluster.server.kubeconfig(), namespace, { clock })
    cluster.replicas.push(hooks)
    const started = hooks.server.start()
    await until(() => clock.pending === 1)
    expect(hooks.certificates.status()).toMatchObject({ failing: { error: { code: 'API_UNREACHABLE' } } })
    await cluster.server.faults.up()
    await until(() => hooks.certificates.status().failing === undefined, clock, 100)
    await started
    await cluster.call()
  })

  it('without the right to write is told which right is missing', async () => {
    const clock = clockFrom(0)
    const { Refusal } = await import('@carillon/kubernetes/testing')
    cluster.server.faults.refuse(
      1,
      new Refusal({
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        reason: 'Forbidden',
        message: 'no',
        code: 403,
      }),
      { verb: 'create', resource: 'secrets' },
    )
    const hooks = await Hooks.prepare(cluster.server.kubeconfig(), namespace, { clock })
    cluster.replicas.push(hooks)
    const started = hooks.server.start()
    await until(() => clock.pending === 1)
    expect(hooks.log.lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        fields: expect.objectContaining({
          message: expect.stringContaining('give the account the verb "create" on this resource'),
        }),
      }),
    )
    await look(clock, 60_000)
    await started
  })
})

describe('webhooks that the controllers manage', () => {
  const policies = async (): Promise<readonly string[]> => {
    const { webhooks = [] } = (await cluster.server.store.get(configurationKey)) as Json
    return webhooks.map((one: Json) => one.failurePolicy)
  }
  const settled = (webhookConfiguration({ namespace }).webhooks as Json[]).map(one => one.failurePolicy)
  const install = async (webhooks: readonly Json[] = []): Promise<void> => {
    await cluster.server.store.delete(configurationKey)
    const { apiVersion, kind, name } = configurationKey
    const metadata = { name, annotations: { [managedAnnotation]: 'true' } }
    await cluster.server.store.create({ apiVersion, kind, metadata, webhooks } as Json)
  }
  const first = async (name: string): Promise<void> => {
    const object = { apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool' }
    await cluster.server.store.create({
      ...object,
      metadata: { name, namespace },
      spec: { addresses: ['192.0.2.0/24'] },
    })
    await cluster.server.store.delete({ ...object, name, namespace })
  }

  it('are asked, but not waited for, until those who answer have been there for a while', async () => {
    await install()
    await first('a')
    const clock = clockFrom(0)
    await cluster.begin(2, { clock })
    expect(await policies()).toEqual(settled.map(() => 'Ignore'))
    const gone = cluster.replicas.splice(0)
    await first('b')
    cluster.replicas.push(...gone)
    await cluster.call()
    await look(clock, 30_000)
    expect(await policies()).toEqual(settled)
    await cluster.call()
    cluster.replicas.splice(0)
    await expect(first('c')).rejects.toThrow('failed calling webhook')
    cluster.replicas.push(...gone)
  })

  it('stay waited for when a controller begins anew', async () => {
    await install()
    const clock = clockFrom(0)
    await cluster.begin(1, { clock })
    await look(clock, 30_000)
    await cluster.begin(1, { clock: clockFrom(0) })
    expect(await policies()).toEqual(settled)
  })

  it('take the place of those of another version, and are not written again', async () => {
    const [one, ...rest] = webhookConfiguration({ namespace }).webhooks as Json[]
    await install([{ ...one, rules: [{ ...one.rules[0], operations: ['CREATE'] }] }, ...rest.slice(2)])
    const clock = clockFrom(0)
    await cluster.begin(1, { clock })
    const { webhooks } = (await cluster.server.store.get(configurationKey)) as Json
    expect(webhooks).toHaveLength(settled.length)
    expect(webhooks[0]).toMatchObject({
      name: one.name,
      failurePolicy: 'Fail',
      rules: [{ operations: ['CREATE', 'UPDATE'] }],
    })
    await look(clock, 30_000)
    cluster.server.requests.reset()
    await look(clock, 30_000)
    expect(cluster.server.requests.writes()).toBe(0)
  })
})

describe('later', () => {
  it('nothing is written while nothing has to be', async () => {
    const clock = clockFrom(dayMs)
    await cluster.begin(2, { clock })
    cluster.server.requests.reset()
    for (let i = 0; i < 5; i++) await look(clock, 30_000)
    expect(cluster.server.requests.writes()).toBe(0)
    expect(cluster.server.requests.count('get', 'secrets')).toBe(10)
  })

  it('a configuration that was installed anew is trusted again at the next look', async () => {
    const clock = clockFrom(dayMs)
    await cluster.begin(1, { clock })
    await cluster.server.store.delete(configurationKey)
    await cluster.server.store.create(webhookConfiguration({ namespace }) as Json)
    await expect(cluster.call()).rejects.toThrow('failed calling webhook')
    await look(clock, 30_000)
    await cluster.call()
  })

  it('a Secret that was deleted is made anew, and replicas that do not know yet can be called', async () => {
    const [one, other] = [clockFrom(dayMs), clockFrom(dayMs)]
    await cluster.begin(1, { clock: one })
    await cluster.begin(1, { clock: other })
    const before = await cluster.secret()
    await cluster.server.store.delete(secretKey)
    await look(one, 30_000, 1)
    const after = await cluster.secret()
    expect(after['tls.crt']).not.toBe(before['tls.crt'])
    await cluster.connect()
    await look(other, 30_000, 1)
    await cluster.connect()
    await cluster.call()
    expect(cluster.replicas[1]?.certificates.current()?.certificate).toBe(after['tls.crt'])
  })

  it('certificates and authorities are replaced, by two replicas that are hours apart, and every call succeeds', async () => {
    const [one, other] = [clockFrom(3 * dayMs), clockFrom(3 * dayMs)]
    const life = {
      authorityMs: 10 * dayMs,
      authorityRenewMs: 9 * dayMs,
      leafMs: 8 * dayMs,
      leafRenewMs: 7.5 * dayMs,
      overlapMs: 8 * hourMs,
      lookMs: 2 * hourMs,
    }
    await cluster.begin(1, { clock: one, ...life })
    await cluster.begin(1, { clock: other, ...life, lookMs: 6 * hourMs })
    const seen = { authorities: new Set<string>(), leaves: new Set<string>(), most: 0 }
    for (let hour = 2; hour <= 3 * 24; hour += 2) {
      await look(one, 2 * hourMs, 1)
      await cluster.connect()
      if (hour % 6 === 0) {
        await look(other, 6 * hourMs, 1)
        await cluster.connect()
        await cluster.call()
      }
      const secret = await cluster.secret()
      seen.authorities.add(secret['ca.key'] ?? '')
      seen.leaves.add(secret['tls.crt'] ?? '')
      seen.most = Math.max(seen.most, blocks(secret['ca.crt']))
    }
    expect(seen.authorities.size).toBe(3)
    expect(seen.leaves.size).toBeGreaterThan(4)
    expect(seen.most).toBe(2)
    expect(await cluster.trusted()).toEqual([(await cluster.secret())['ca.crt']])
  })
})
