import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cluster, service } from './support/manifests.ts'
import { describeLab } from './support/needs.ts'
import { eventually, SpeakerLab } from './support/speaker-lab.ts'

const vip = '10.77.0.100'
const other = '10.77.0.101'

/** A pipe for somebody's log, whose reader stands still or reads. */
class Pipe implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'carillon-pipe-'))
  readonly #reader: number
  /** For the writer, who would wait in it. */
  readonly descriptor: number

  constructor() {
    const path = join(this.#folder, 'log')
    execFileSync('mkfifo', [path])
    // Of both ends, so that opening does not wait.
    this.#reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
    this.descriptor = openSync(path, 'w')
  }

  /** Takes all the room that there is. */
  fill(): void {
    try {
      for (;;) writeSync(this.#reader, '.'.repeat(1024))
    } catch {
      // There is none left.
    }
  }

  /** What is in it. */
  read(): string {
    const into = Buffer.alloc(1 << 20)
    let length = 0
    try {
      for (;;) length += readSync(this.#reader, into, length, into.length - length, null)
    } catch {
      // It is empty now.
    }
    return into.toString('utf8', 0, length).replace(/^\.+/, '')
  }

  [Symbol.dispose](): void {
    closeSync(this.#reader)
    closeSync(this.descriptor)
    rmSync(this.#folder, { recursive: true })
  }
}

describeLab('A speaker whose log nobody reads', ['arping', 'mkfifo'], () => {
  let lab: SpeakerLab
  let pipe: Pipe

  beforeAll(async () => {
    const manifests = cluster(['node-a'], service('web', { addresses: [vip] }))
    lab = await SpeakerLab.build('unread', { nodes: ['node-a'], manifests })
    pipe = new Pipe()
    pipe.fill()
    await lab.start(['node-a'], ['--garp-count', '1'], { stdio: ['ignore', 'ignore', pipe.descriptor] })
  })

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]()
    pipe?.[Symbol.dispose]()
  })

  it('announces, and takes changes', async () => {
    expect(await lab.settled('default/web', owner => owner !== null)).toBe('node-a')
    expect(await lab.arping(vip)).toHaveLength(1)
    await lab.edit(service('late', { addresses: [other] }), 'late.yaml')
    await lab.settled('default/late', owner => owner === 'node-a')
    expect(await lab.arping(other)).toHaveLength(1)
  })

  it('tells everything, in order, once somebody does', async () => {
    let text = pipe.read()
    const told = await eventually('the log tells of both', () => {
      text += pipe.read()
      return text.includes(other) ? text : undefined
    })
    const lines = told.trimEnd().split('\n')
    const times = lines.map(line => (JSON.parse(line) as { time: string }).time)
    expect(times).toEqual([...times].sort())
    expect(told.indexOf(vip)).toBeGreaterThan(-1)
    expect(told.indexOf(vip)).toBeLessThan(told.indexOf(other))
  })

  it('and stops in time when it is told to, also then', async () => {
    pipe.fill()
    const from = performance.now()
    await lab.signal('node-a', 'SIGTERM')
    expect(await lab.exited('node-a')).toBe(0)
    expect(performance.now() - from).toBeLessThan(2500)
  })
})
