import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { LabNet } from '@carillon/cli/lab'

const program = fileURLToPath(new URL('./support/asker.py', import.meta.url))

/** A process on a lab host that asks by ARP who has addresses. */
export class ArpAsker {
  readonly #process: ChildProcess
  readonly #waiting: ((line: string) => void)[] = []

  constructor(net: LabNet, host: string, address: string) {
    this.#process = net.spawn(host, 'python3', [program, 'eth0', address], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    if (this.#process.stdout)
      createInterface(this.#process.stdout).on('line', line => this.#waiting.shift()?.(line))
  }

  /** Every MAC address that answers for each of these. */
  async ask(addresses: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const line = await new Promise<string>(resolve => {
      this.#waiting.push(resolve)
      this.#process.stdin?.write(`${addresses.join(' ')}\n`)
    })
    return new Map(Object.entries(JSON.parse(line) as Record<string, readonly string[]>))
  }
}
