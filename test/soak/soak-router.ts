import type { ChildProcess } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { birdControl, type LabNet } from '@carillon/cli/lab'
import { asn, router } from './wanted.ts'

/** BIRD as the router that all nodes tell their routes. */
export class SoakRouter {
  readonly #net: LabNet
  readonly #host: string
  readonly #scratch: string
  readonly #nodes: readonly { readonly name: string; readonly address: string }[]
  #process: ChildProcess | undefined

  constructor(
    net: LabNet,
    host: string,
    scratch: string,
    nodes: readonly { readonly name: string; readonly address: string }[],
  ) {
    this.#net = net
    this.#host = host
    this.#scratch = scratch
    this.#nodes = nodes
  }

  async start(): Promise<void> {
    const peers = this.#nodes.map(
      ({ name, address }) => `
protocol bgp '${name}' {
  local as ${router.asn};
  neighbor ${address} as ${asn};
  bfd on;
  hold time 9;
  connect delay time 1;
  error wait time 1, 2;
  graceful restart off;
  ipv4 { import all; export none; };
}`,
    )
    const text = `router id ${router.address};
protocol device { scan time 1; }
protocol bfd { interface "*" { min rx interval 300 ms; min tx interval 300 ms; multiplier 5; }; }
${peers.join('')}
`
    const file = join(this.#scratch, 'bird.conf')
    await writeFile(file, text)
    const words = ['-f', '-c', file, '-s', this.#socket, '-P', join(this.#scratch, 'bird.pid')]
    this.#process = this.#net.spawn(this.#host, '/usr/sbin/bird', words, { stdio: 'ignore' })
  }

  /** Ends it without a goodbye. */
  async kill(): Promise<void> {
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  /** The prefixes that each node has told it, in order. */
  async routes(): Promise<ReadonlyMap<string, readonly string[]>> {
    const text = await birdControl(this.#socket, 'show route')
    const found = new Map(this.#nodes.map(({ name }) => [name, [] as string[]]))
    let prefix = ''
    for (const line of text.split('\n')) {
      prefix = /^(\d+\.\d+\.\d+\.\d+\/\d+)/.exec(line)?.[1] ?? prefix
      const from = /unicast \[(\S+)/.exec(line)?.[1]
      if (from !== undefined) found.get(from)?.push(prefix)
    }
    for (const prefixes of found.values()) prefixes.sort()
    return found
  }

  get #socket(): string {
    return join(this.#scratch, 'bird.ctl')
  }
}
