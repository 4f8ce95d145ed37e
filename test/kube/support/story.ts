import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FakeClock, RecordingLogger, RecordingMetrics } from '@carillon/core/testing'
import { type Client, connect, type OwnerReference } from '@carillon/kubernetes'
import { KubeApiServer, type KubeApiServerOptions, type NewObject } from '@carillon/kubernetes/testing'
import { parse } from 'yaml'

const crds = fileURLToPath(new URL('../../../deploy/crds', import.meta.url))

/** Our custom resources, as they are installed. */
export const definitions = (): readonly NewObject[] =>
  readdirSync(crds)
    .filter(name => name.endsWith('.yaml'))
    .map(name => {
      const definition = parse(readFileSync(join(crds, name), 'utf8'))
      // Conversion asks a webhook, which is not there.
      delete definition.spec.conversion
      return definition
    })

/** Waits until something is so, for what happens on the network; with a clock, time goes on meanwhile. */
export async function until(wanted: () => unknown, clock?: FakeClock, stepMs = 1): Promise<void> {
  for (let i = 0; i < 20_000; i++) {
    if (await wanted()) return
    clock?.advance(stepMs)
    await new Promise(resolve => setImmediate(resolve))
  }
  throw new Error(`it never came to that: ${wanted}`)
}

/** An API server with our custom resources, and a client of it. Time is the test's. */
export class Story implements AsyncDisposable {
  readonly clock = new FakeClock()
  readonly log: RecordingLogger = new RecordingLogger()
  readonly metrics: RecordingMetrics = new RecordingMetrics()
  readonly random = (): number => 0.5
  readonly namespace = 'metallb-system'
  readonly server: KubeApiServer
  readonly client: Client
  readonly #folder: string

  private constructor(server: KubeApiServer, client: Client, folder: string) {
    this.server = server
    this.client = client
    this.#folder = folder
  }

  /** @param without custom resources that are not installed, by plural */
  static async begin(options: KubeApiServerOptions = {}, without: readonly string[] = []): Promise<Story> {
    const server = await KubeApiServer.start(options)
    for (const definition of definitions()) {
      const [plural = ''] = (definition.metadata?.name ?? '').split('.')
      if (!without.includes(plural)) await server.store.create(definition)
    }
    await server.store.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'metallb-system' } })
    const folder = mkdtempSync(join(tmpdir(), 'carillon-'))
    const path = join(folder, 'kubeconfig')
    writeFileSync(path, server.kubeconfig())
    const story = new Story(server, (await connect({ kubeconfig: path })).client, folder)
    return story
  }

  /** A Service that wants an address. */
  async service(name: string, extra: object = {}): Promise<void> {
    await this.server.store.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'default' },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }], ...extra },
    })
  }

  /** A Pod that can own objects. */
  async pod(name: string): Promise<OwnerReference> {
    const pod = await this.server.store.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: this.namespace },
      spec: { containers: [{ name: 'speaker', image: 'carillon' }] },
    })
    return { apiVersion: 'v1', kind: 'Pod', name, uid: pod.metadata.uid as string }
  }

  async pool(name: string, addresses = '192.0.2.0/24'): Promise<void> {
    await this.server.store.create({
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { name, namespace: this.namespace },
      spec: { addresses: [addresses] },
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]()
    await this.server.stop()
    rmSync(this.#folder, { recursive: true })
  }
}
