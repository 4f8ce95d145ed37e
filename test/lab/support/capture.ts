import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execute, type LabNet } from '@carillon/cli/lab'

/** A frame as tshark reads it: of every field asked for the first value, or '' where the frame has none. */
export type Decoded<Field extends string> = Readonly<Record<Field, string>>

/** Records what passes an interface of a lab host, for tshark to read. */
export class Capture implements AsyncDisposable {
  readonly #folder: string
  readonly #file: string
  readonly #process: ChildProcess
  readonly #ended: Promise<void>

  private constructor(folder: string, process: ChildProcess) {
    this.#folder = folder
    this.#file = join(folder, 'frames.pcap')
    this.#process = process
    this.#ended = new Promise(resolve => process.once('exit', () => resolve()))
  }

  /** Resolves once frames are being recorded. `filter` is tcpdump's. */
  static async start(net: LabNet, host: string, filter: string): Promise<Capture> {
    const folder = await mkdtemp(join(tmpdir(), 'carillon-capture-'))
    const words = [
      '-i',
      'eth0',
      '-Z',
      'root',
      '--immediate-mode',
      // Short frames and a large buffer: bursts of hundreds of frames are recorded whole.
      '-s',
      '512',
      '-B',
      '16384',
      '-U',
      '-w',
      join(folder, 'frames.pcap'),
      filter,
    ]
    const process = net.spawn(host, 'tcpdump', words, { stdio: ['ignore', 'ignore', 'pipe'] })
    const capture = new Capture(folder, process)
    await new Promise<void>((resolve, reject) => {
      let said = ''
      process.stderr?.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        if (said.includes('listening on')) resolve()
      })
      process.once('exit', () => reject(new Error(`tcpdump ended: ${said}`)))
    })
    return capture
  }

  /** The frames recorded so far that a display filter selects, in order. */
  async frames<Field extends string>(
    display: string,
    fields: readonly Field[],
  ): Promise<readonly Decoded<Field>[]> {
    const words = fields.flatMap(field => ['-e', field])
    const checks = ['-o', 'arp.detect_duplicate_ips:FALSE']
    const form = ['-T', 'fields', '-E', 'separator=|', '-E', 'occurrence=f']
    const { code, stdout, stderr } = await execute('tshark', [
      '-r',
      this.#file,
      ...checks,
      '-Y',
      display,
      ...form,
      ...words,
    ])
    if (code !== 0) throw new Error(`tshark: ${stderr}`)
    const rows = stdout.split('\n').filter(line => line !== '')
    return rows.map(row => {
      const values = row.split('|')
      return Object.fromEntries(fields.map((field, i) => [field, values[i] ?? ''])) as Decoded<Field>
    })
  }

  /** Ends the recording; `frames` may still be asked. */
  async stop(): Promise<void> {
    if (this.#process.exitCode === null) this.#process.kill('SIGINT')
    await this.#ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
