import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { inDefault, inSystem, pod, system } from '../lab/support/kube-lab.ts'
import { endpoints } from '../lab/support/manifests.ts'
import { eventually } from '../lab/support/speaker-lab.ts'
import { over, type SharedFault, type Undo } from './fault.ts'
import type { SoakLab } from './soak-lab.ts'
import { SoakProcess } from './soak-process.ts'
import type { SoakSource } from './soak-source.ts'
import { documentsOf, edited, overlapping, type Wanted } from './wanted.ts'

const program = fileURLToPath(new URL('../lab/programs/api-server.mjs', import.meta.url))

/** What the API server is told to do at once; see its program. */
interface Command {
  readonly apply?: string
  readonly delete?: readonly ObjectKey[]
  readonly fault?: string
  readonly with?: readonly number[]
}

interface ObjectKey {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace: string
}

const overlappingKey: ObjectKey = {
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  name: 'overlapping',
  namespace: system,
}

/** What those who ask an API server that has troubles may say at level error. */
const outOfReach = /"code":"API_|out of reach/

/** A Kubernetes API server for tests and two controllers beside the client, for `carillon speaker`. */
export class KubeSource implements SoakSource {
  readonly processes: SoakProcess[] = []
  readonly #lab: SoakLab
  readonly #host: string
  readonly #folder: string
  readonly #waiting: (() => void)[] = []
  #api: ChildProcess | undefined
  #wanted: Wanted | undefined

  private constructor(lab: SoakLab, host: string, folder: string) {
    this.#lab = lab
    this.#host = host
    this.#folder = folder
  }

  /** @param host where the API server and the controllers run; @param address of that host */
  static async start(lab: SoakLab, host: string, address: string, folder: string): Promise<KubeSource> {
    const source = new KubeSource(lab, host, folder)
    try {
      await source.#start(address)
      return source
    } catch (error) {
      await source[Symbol.asyncDispose]()
      throw error
    }
  }

  async #start(address: string): Promise<void> {
    const nodes = [...this.#lab.nodes.values()]
    await mkdir(join(this.#folder, 'secret'))
    await writeFile(join(this.#folder, 'secret', 'secretkey'), 'A'.repeat(22))
    const objects = join(this.#folder, 'objects.yaml')
    const text = [
      `---\napiVersion: v1\nkind: Namespace\nmetadata: { name: ${system} }\n`,
      ...nodes.map(node => pod(`speaker-${node.name}`, node.address)),
      ...documentsOf(
        this.#lab.wanted,
        nodes.map(({ name }) => name),
      ).nodes,
    ]
    await writeFile(objects, text.join(''))
    const api = this.#lab.net.spawn(this.#host, process.execPath, [program, address, this.#folder, objects], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#api = api
    if (api.stdout) createInterface(api.stdout).on('line', () => this.#waiting.shift()?.())
    await eventually('the API server runs', () => existsSync(this.#kubeconfig) || undefined, 60)
    for (const number of [0, 1]) {
      const { net } = this.#lab
      this.processes.push(await SoakProcess.on(net, this.#host, `controller-${number}`, this.#folder))
      this.#startController(number)
    }
  }

  words(node: string): readonly string[] {
    const own = ['--node-name', node, '--pod-name', `speaker-${node}`, '--ml-labels', 'component=speaker']
    const gossip = ['--ml-bindaddr', this.#lab.node(node).address]
    return [
      'speaker',
      ...this.#cluster,
      ...own,
      ...gossip,
      '--ml-secret-key-path',
      join(this.#folder, 'secret'),
    ]
  }

  async want(wanted: Wanted): Promise<void> {
    const names = [...this.#lab.nodes.keys()]
    const [next, last] = [documentsOf(wanted, names), this.#wanted && documentsOf(this.#wanted, names)]
    const configuration = next.configuration.filter(text => !last?.configuration.includes(text))
    const services = [...next.services]
      .filter(([name]) => !last?.services.has(name))
      .map(([name, text]) => inDefault(text + endpoints(name, ...names)))
    const gone = [...(last?.services.keys() ?? [])].filter(name => !next.services.has(name))
    const namespace = 'default'
    this.#wanted = wanted
    await this.#tell({
      apply: [...configuration.map(inSystem), ...services].join(''),
      delete: gone.flatMap(name => [
        { apiVersion: 'v1', kind: 'Service', name, namespace },
        { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', name: `${name}-1`, namespace },
      ]),
    })
  }

  async strike(fault: SharedFault, choice: number): Promise<Undo> {
    const lab = this.#lab
    const before = lab.wanted
    const after = edited(before, [...lab.nodes.keys()], choice)
    if (fault.startsWith('api')) for (const process of lab.processes) process.excuse(outOfReach)
    switch (fault) {
      case 'apiAway':
        await this.#tell({ fault: 'down' })
        // What somebody asked for at the last moment is heard of only when it is back.
        await this.want(after)
        return over(
          async () => {
            await this.#tell({ fault: 'up' })
            lab.wanted = after
          },
          () => lab.want(before),
        )
      case 'apiFrozen':
        this.#api?.kill('SIGSTOP')
        return over(() => this.#api?.kill('SIGCONT'))
      case 'apiErrors':
        if (choice % 2 === 0) await this.#tell({ fault: 'internalErrors', with: [20 + 30 * choice] })
        else await this.#tell({ fault: 'tooManyRequests', with: [20 + 30 * choice] })
        await this.#tell({ fault: 'slow', with: [100 * choice] })
        // Else most would ask for nothing meanwhile.
        await this.#tell({ fault: 'endWatches' })
        return over(() => this.#tell({ fault: 'clear' }))
      case 'apiForgets':
        await this.#tell({ fault: 'gone' })
        return over()
      case 'apiDrops':
        await this.#tell({ fault: choice % 2 === 0 ? 'dropWatches' : 'endWatches' })
        return over()
      case 'controller': {
        const number = choice % 2
        await this.processes[number]?.end(choice < 3 ? 'SIGKILL' : 'SIGTERM')
        return over(() => this.#startController(number))
      }
      case 'brokenEdit':
        for (const process of lab.processes) process.excuse(/invalid configuration/)
        await this.#tell({ apply: inSystem(overlapping) })
        return over(() => this.#tell({ delete: [overlappingKey] }))
      case 'diskFull':
        for (const process of lab.processes) process.fillDisk()
        await lab.want(after)
        return over(
          () => {
            for (const { disk } of lab.processes) disk.free()
          },
          () => lab.want(before),
        )
      default:
        throw new Error(`Kubernetes knows no ${fault}`)
    }
  }

  get #kubeconfig(): string {
    return join(this.#folder, 'kubeconfig')
  }

  get #cluster(): readonly string[] {
    return ['--kubeconfig', this.#kubeconfig, '--namespace', system]
  }

  #startController(number: number): void {
    const own = ['--http', `127.0.0.1:${7480 + number}`, '--webhook-mode', 'disabled']
    this.processes[number]?.start(['controller', ...this.#cluster, ...own])
  }

  /** Resolves when the API server has done it. */
  #tell(command: Command): Promise<void> {
    return new Promise(resolve => {
      this.#waiting.push(resolve)
      this.#api?.stdin?.write(`${JSON.stringify(command)}\n`)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.processes) await process[Symbol.asyncDispose]()
    this.#api?.kill('SIGKILL')
  }
}
