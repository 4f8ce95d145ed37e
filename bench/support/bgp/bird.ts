import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { birdControl } from '@carillon/cli/lab'
import { addresses, answered, type End, single, until } from './end.ts'
import type { Receiver, ReceiverKind } from './receiver.ts'
import type { Sender, SenderKind } from './sender.ts'

/** BIRD, which announces static routes, and tells how many it has imported. */
class Bird implements Sender, Receiver {
  readonly #end: End
  #routes: readonly string[] = []
  #pid: number | undefined

  constructor(end: End) {
    this.#end = end
  }

  get #socket(): string {
    return join(this.#end.folder, 'bird.ctl')
  }

  #write(routes: readonly string[]): void {
    const lines = routes.map(route => `route ${route}/32 blackhole;\n`)
    writeFileSync(join(this.#end.folder, 'routes.conf'), lines.join(''))
  }

  async start(): Promise<void> {
    const { segment, node, peer, as, peerAs, folder } = this.#end
    this.#write([])
    const file = join(folder, 'bird.conf')
    writeFileSync(
      file,
      `router id ${node.address};
protocol device { }
protocol direct { ipv4; }
protocol static {
  ipv4;
include "${folder}/routes.conf";
}
protocol bgp peer {
  local ${node.address} as ${as};
  neighbor ${peer} as ${peerAs};
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ipv4 { import all; export where source = RTS_STATIC; next hop self; };
}
`,
    )
    const words = ['-f', '-c', file, '-s', this.#socket, '-P', join(folder, 'bird.pid')]
    this.#pid = segment.spawn(node.name, ['bird', ...words]).pid
    await until('BIRD answers', 10, () => answered(birdControl(this.#socket, 'show status')))
  }

  async announce(count: number): Promise<number> {
    this.#routes = addresses(count)
    return this.#configure(this.#routes)
  }

  change(announce: boolean): Promise<number> {
    return this.#configure(announce ? [...this.#routes, single] : this.#routes)
  }

  async #configure(routes: readonly string[]): Promise<number> {
    this.#write(routes)
    const from = performance.now()
    await birdControl(this.#socket, 'configure')
    return from
  }

  processes(): readonly number[] {
    return this.#pid === undefined ? [] : [this.#pid]
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  async established(): Promise<boolean> {
    return (await birdControl(this.#socket, 'show protocols peer')).includes('Established')
  }

  async held(): Promise<number> {
    const text = await birdControl(this.#socket, 'show protocols all peer')
    return Number(/Routes:\s+(\d+) imported/.exec(text)?.[1] ?? 0)
  }
}

export const birdSender: SenderKind = {
  name: 'BIRD',
  command: 'bird',
  make: end => new Bird(end),
}

export const birdReceiver: ReceiverKind = { name: 'BIRD', command: 'bird', make: end => new Bird(end) }
