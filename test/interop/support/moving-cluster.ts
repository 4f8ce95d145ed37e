import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execute } from '@carillon/cli/lab'
import { KubeLab } from '../../lab/support/kube-lab.ts'
import { bin, eventually } from '../../lab/support/speaker-lab.ts'
import { clusterProgram } from '../../support/cluster-programs.ts'
import { CommandPeer } from './command-peer.ts'
import { type DaemonSet, wants } from './daemon-sets.ts'
import { elected } from './elected.ts'
import { memberlistPeer } from './memberlist-peer.ts'
import { metallbManifests } from './metallb-manifests.ts'
import { withPort } from './peer.ts'

const deploy = fileURLToPath(new URL('../../../deploy', import.meta.url))

interface Named {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
}

type Listed = Named & DaemonSet & { readonly spec: { readonly replicas?: number } }

/**
 * A cluster in namespaces on its way from MetalLB: what decides on pods and starts them is played by `reconcile`, MetalLB's speakers by
 * the Go program that does on the wire what they do. Commands are run as somebody types them, in a folder with our `deploy` in it.
 */
export class MovingCluster implements AsyncDisposable {
  readonly lab: KubeLab
  readonly addresses: readonly string[]
  readonly #theirs = new Map<string, CommandPeer>()

  private constructor(lab: KubeLab, addresses: readonly string[]) {
    this.lab = lab
    this.addresses = addresses
  }

  /** @param addresses those that Services have; a node answers for each of them, which one is what it is about */
  static async build(
    nodes: readonly string[],
    objects: readonly string[],
    addresses: readonly string[],
  ): Promise<MovingCluster> {
    const cluster = new MovingCluster(await KubeLab.build('moving', nodes, objects), addresses)
    const { folder } = cluster.lab.speakers
    await symlink(deploy, join(folder, 'deploy'))
    await writeFile(join(folder, 'metallb-native.yaml'), metallbManifests)
    // There is no kubelet to be asked for a shell: `exec` goes to where the pod would be.
    const exec = `ip netns exec ${cluster.lab.speakers.net.namespace('')}"\${pod##*speaker-}" ${process.execPath} ${bin}`
    const program = `#!/bin/sh
case " $* " in
  *" exec "*" -- carillon "*) pod=\${*%% -- *}; shift $(($# - 1)); ${exec} "$1" ;;
  *) exec ip netns exec ${cluster.lab.speakers.net.namespace('client')} ${clusterProgram('kubectl')} "$@" ;;
esac
`
    await mkdir(join(folder, 'bin'))
    await writeFile(join(folder, 'bin', 'kubectl'), program, { mode: 0o755 })
    return cluster
  }

  /** Runs a command of a shell, which has to succeed; gives what it printed. */
  async run(command: string): Promise<string> {
    const { folder } = this.lab.speakers
    const script = 'cd "$0" && PATH="$0/bin:$PATH" KUBECONFIG="$0/kubeconfig" exec sh -c "$1"'
    const { code, stdout, stderr } = await execute('sh', ['-c', script, folder, command])
    if (code !== 0) throw new Error(`${command}\n${stderr}`)
    return stdout
  }

  /** Runs commands one after the other, each until its pods run; gives what each printed. */
  async all(...commands: readonly string[]): Promise<readonly string[]> {
    const printed: string[] = []
    for (const command of commands) {
      printed.push(await this.run(command))
      await this.reconcile()
    }
    return printed
  }

  /** Has the pods run that the DaemonSets and Deployments want on the nodes as they are labelled, and no others. */
  async reconcile(): Promise<void> {
    const text = await this.run('kubectl -n metallb-system get nodes,daemonsets,deployments -o json')
    const { items } = JSON.parse(text) as { readonly items: readonly Listed[] }
    const daemons = items.filter(({ kind }) => kind === 'DaemonSet')
    for (const { metadata } of items.filter(({ kind }) => kind === 'Node')) {
      const wanted = daemons.filter(one => wants(one, metadata.labels ?? {}))
      const [one, other] = ['speaker', 'carillon-speaker'].map(name =>
        wanted.find(daemon => daemon.metadata.name === name),
      )
      await this.#place(metadata.name, one, other)
    }
    const controller = items.find(({ metadata }) => metadata.name === 'carillon-controller')
    const running = this.lab.runs('controller-0')
    if ((controller?.spec.replicas ?? 0) > 0 && !running)
      this.lab.controller(0, '--ml-secret-name', 'memberlist')
    if ((controller?.spec.replicas ?? 0) === 0 && running) await this.lab.end('controller-0')
  }

  /** A kubelet says that a pod has ended. */
  async #forget(pod: string): Promise<void> {
    await this.lab.kubectl('-n', 'metallb-system', 'delete', 'pod', '--grace-period=0', '--force', pod)
  }

  /** Both want port 7946 of the node: whoever is to go goes first. */
  async #place(node: string, theirs: DaemonSet | undefined, ours: DaemonSet | undefined): Promise<void> {
    if (theirs && ours) throw new Error(`${node} would have both`)
    const peer = this.#theirs.get(node)
    if (!theirs && peer) {
      await peer.stop()
      this.#theirs.delete(node)
      await this.#forget(`speaker-${node}`)
    }
    if (!ours && this.lab.runs(node)) {
      await this.lab.end(node)
      await this.#forget(`carillon-speaker-${node}`)
    }
    if (theirs && !peer) {
      await this.#pod(`speaker-${node}`, node, theirs)
      await this.#startTheirs(node)
    }
    if (ours && !this.lab.runs(node)) {
      const name = `carillon-speaker-${node}`
      await this.#pod(name, node, ours)
      this.lab.speaker(node, '--pod-name', name, '--ml-labels', 'app=metallb,component=speaker')
      await eventually(`${node} runs`, async () => (await this.lab.speakers.status(node))?.node, 30)
    }
  }

  async #startTheirs(name: string): Promise<void> {
    const { lab } = this
    const address = lab.addressOf(name)
    const data = await lab.mountSecret('memberlist')
    const join = lab.nodes.filter(node => node !== name).map(node => lab.addressOf(node))
    const words = ['-name', name, '-bind', address, '-bare', '-secret', data]
    const others = [...this.#theirs.keys(), ...lab.running].length > 0 ? join : []
    for (const other of others) words.push('-join', withPort(other))
    const pipes = { stdio: ['pipe', 'pipe', 'pipe'] as ('pipe' | 'ignore')[] }
    const child = lab.speakers.net.spawn(name, await memberlistPeer(), words, pipes)
    this.#theirs.set(name, new CommandPeer(name, { name, address, join }, child))
  }

  async #pod(name: string, node: string, { spec: { template } }: DaemonSet): Promise<void> {
    const text = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'metallb-system', labels: template.metadata.labels },
      spec: { nodeName: node, hostNetwork: true, containers: [{ name: 'speaker', image: 'speaker' }] },
    })
    await this.lab.apply(text)
    const status = { phase: 'Running', podIP: this.lab.addressOf(node), hostIP: this.lab.addressOf(node) }
    const patch = ['--subresource=status', '--type=merge', '-p', JSON.stringify({ status })]
    await this.run(`kubectl -n metallb-system patch pod ${name} ${patch.map(word => `'${word}'`).join(' ')}`)
  }

  /** Nodes on which a speaker of MetalLB's runs, and those on which one of ours does. */
  get split(): { readonly theirs: readonly string[]; readonly ours: readonly string[] } {
    return { theirs: [...this.#theirs.keys()].sort(), ours: [...this.lab.running].sort() }
  }

  /** Waits until every speaker of both kinds names the same owner of each address, and no node of ours answers for another's. */
  async agreed(): Promise<void> {
    const { lab, addresses } = this
    const owners = addresses.map(address => elected(address, lab.nodes))
    for (const node of lab.running)
      await eventually(
        `${node} elects among all`,
        async () => {
          const status = await lab.speakers.status(node)
          const found = new Map(status?.services.map(one => [one.addresses[0] ?? '', one.owner]))
          return addresses.every((address, i) => found.get(address) === owners[i]) || undefined
        },
        40,
      )
    for (const peer of this.#theirs.values())
      await eventually(
        `${peer.name} elects among all`,
        async () =>
          (await peer.ask<readonly string[]>('owners', ...addresses)).join() === owners.join() || undefined,
        40,
      )
    const { ours } = this.split
    const silent = addresses.find((_, i) => !ours.includes(owners[i] ?? ''))
    const spoken = addresses.find((_, i) => ours.includes(owners[i] ?? ''))
    await Promise.all([
      silent === undefined ? undefined : lab.silent(silent),
      spoken === undefined
        ? undefined
        : lab.answeredBy(spoken, node => node === owners[addresses.indexOf(spoken)]),
    ])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#theirs.values()) await peer.kill()
    await this.lab[Symbol.asyncDispose]()
  }
}
