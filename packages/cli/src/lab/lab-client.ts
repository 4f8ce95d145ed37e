import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Answer } from './answers.ts'
import type { LabNet } from './lab-net.ts'

const webClient = fileURLToPath(new URL('./web-client.js', import.meta.url))

/** A client that asks a web server every 10 ms, each time on a new connection. */
export class LabClient {
  readonly answers: Answer[] = []

  /** @param host where it runs */
  constructor(net: LabNet, host: string, address: string) {
    const child = net.spawn(host, process.execPath, [webClient, address, '80', '10'])
    if (!child.stdout) return
    createInterface(child.stdout).on('line', line => this.answers.push(JSON.parse(line) as Answer))
  }
}
