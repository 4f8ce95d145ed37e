import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { NewObject } from '@carillon/kubernetes/testing'
import { stringify } from 'yaml'
import { clusterProgram } from '../../support/cluster-programs.ts'
import type { Container } from './container.ts'
import { Kubelet, type Placed, podObject, type Template } from './kubelet.ts'
import { node } from './manifests.ts'
import { eventually, SpeakerLab } from './speaker-lab.ts'

const namespace = 'metallb-system'
const program = fileURLToPath(new URL('../programs/secured-api-server.mjs', import.meta.url))

/** The template of a workload among objects. */
export function template(objects: readonly NewObject[], kind: string, name: string): Template {
  const found = objects.find(one => one.kind === kind && one.metadata?.name === name)
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`)
  return (found.spec as { readonly template: Template }).template
}

/** The endpoints of the webhooks, as a cluster lists them. */
const webhooks = (address: string): NewObject =>
  ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'webhooks',
      namespace,
      labels: { 'kubernetes.io/service-name': 'metallb-webhook-service' },
    },
    addressType: address.includes(':') ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'webhooks', port: 9443 }],
  }) as NewObject

export interface ConfinedClusterOptions {
  /** Address of the API server, one of the client's. */
  readonly api: string
  /** Where the cluster addresses of Services come from. */
  readonly serviceCidrs: readonly string[]
  /** What is applied before anything runs. */
  readonly objects: readonly NewObject[]
  readonly controller: Placed
  readonly speakers: readonly Placed[]
  /** Whether no host has an IPv4 address. @default false */
  readonly onlyIpv6?: boolean
}

/**
 * Three nodes and a client whose API server has TLS, and roles that decide; a controller and speakers run in containers as their manifests say,
 * with the rights of their accounts.
 */
export class ConfinedCluster implements AsyncDisposable {
  readonly lab: SpeakerLab
  readonly folder: string
  /** By the names of their pods. */
  readonly containers = new Map<string, Container>()
  readonly #kubelet: Kubelet

  private constructor(lab: SpeakerLab, folder: string, api: string) {
    this.lab = lab
    this.folder = folder
    this.#kubelet = new Kubelet(lab.net, folder, api)
  }

  /** Resolves when every pod is ready. */
  static async build(name: string, options: ConfinedClusterOptions): Promise<ConfinedCluster> {
    const lab = await SpeakerLab.build(name, { manifests: '' })
    const folder = await mkdtemp(join(tmpdir(), 'carillon-confined-'))
    const cluster = new ConfinedCluster(lab, folder, options.api)
    try {
      await cluster.#start(options)
      return cluster
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  }

  async #start({ controller, speakers, ...options }: ConfinedClusterOptions): Promise<void> {
    const { lab } = this
    if (options.onlyIpv6 === true)
      for (const host of ['client', ...lab.nodes])
        await lab.net.ipIn(host, '-4', 'address', 'flush', 'dev', 'eth0')
    const pods = [controller, ...speakers]
    await this.#startApi(options, [...options.objects, webhooks(controller.address), ...pods.map(podObject)])
    await this.#run(controller)
    const secret = await this.kubectl(['-n', namespace, 'get', 'secret', 'memberlist', '-o', 'json'])
    const { data } = JSON.parse(secret) as { readonly data: Readonly<Record<string, string>> }
    await Promise.all(speakers.map(pod => this.#run(pod, { memberlist: data })))
  }

  async #startApi(
    { api, serviceCidrs }: Pick<ConfinedClusterOptions, 'api' | 'serviceCidrs'>,
    objects: readonly NewObject[],
  ): Promise<void> {
    const { lab, folder } = this
    const file = join(folder, 'objects.yaml')
    const nodes = lab.nodes.map(name => node(name)).join('')
    await writeFile(file, `${objects.map(one => `---\n${stringify(one)}`).join('')}${nodes}`)
    const accounts = ['carillon-controller', 'carillon-speaker', 'prometheus']
    const words = [program, api, folder, file, serviceCidrs.join(), namespace, ...accounts]
    const child = lab.net.spawn('client', process.execPath, words)
    let said = ''
    child.stderr?.on('data', chunk => {
      said += chunk
    })
    const runs = (): true | undefined => existsSync(join(folder, 'kubeconfig')) || undefined
    await eventually('the API server runs', runs, 30).catch(error => {
      throw new Error(`${error.message}\n${said}`)
    })
  }

  async #run(
    pod: Placed,
    secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {},
  ): Promise<void> {
    const container = this.#kubelet.run(pod, secrets)
    this.containers.set(pod.name, container)
    const ready = async (): Promise<true | undefined> => (await this.#kubelet.ready(pod)) || undefined
    await eventually(`${pod.name} is ready`, ready, 30).catch(error => {
      throw new Error(`${error.message}\n${container.log}`)
    })
  }

  /** The container of a pod. */
  container(pod: string): Container {
    const found = this.containers.get(pod)
    if (found === undefined) throw new Error(`there is no pod ${pod}`)
    return found
  }

  /** Runs kubectl beside the API server, with a text as its file; fails with what it says. */
  async kubectl(words: readonly string[], text = ''): Promise<string> {
    const file = join(this.folder, 'input.yaml')
    await writeFile(file, text)
    const config = join(this.folder, 'kubeconfig')
    const all = ['--kubeconfig', config, ...words, ...(text === '' ? [] : ['-f', file])]
    const { code, stdout, stderr } = await this.lab.client(clusterProgram('kubectl'), ...all)
    if (code !== 0) throw new Error(stderr)
    return stdout
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.containers.values()) await one[Symbol.asyncDispose]()
    await this.lab[Symbol.asyncDispose]()
    await rm(this.folder, { recursive: true, force: true })
  }
}
