import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env, execPath } from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeLab } from './support/needs.ts'
import { bin, eventually } from './support/speaker-lab.ts'

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** An environment variable that marks every process of a run, whoever its parent has become. */
const mark = `CARILLON_TEST_RUN=demonstration-${process.pid}`

/** Processes of ours that still run. */
function left(): readonly string[] {
  const found: string[] = []
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      if (Number(pid) === process.pid || !readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark))
        continue
      found.push(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '))
    } catch {
      // It has ended meanwhile.
    }
  }
  return found
}

// Other labs may be at work on this machine.
const namespaces = (): readonly string[] =>
  execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })
    .split('\n')
    .filter(name => name.startsWith('carillon-lab-'))

function start(
  through: readonly string[],
  ...args: readonly string[]
): { child: ChildProcess; ended: Promise<Ended>; out: () => string } {
  const [command, ...words] = [...through, execPath, bin, 'lab', ...args] as [string, ...string[]]
  const [key = '', value = ''] = mark.split('=')
  const child = spawn(command, words, {
    // A process group of its own, which Ctrl-C reaches as a whole.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, TMPDIR: folder, [key]: value },
  })
  let [out, err] = ['', '']
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  const ended = new Promise<Ended>(resolve => child.once('close', code => resolve({ code, out, err })))
  return { child, ended, out: () => out }
}

let folder = ''

describeLab('carillon lab', ['unshare', 'setpriv'], () => {
  const before = namespaces()

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'carillon-test-'))
    execFileSync('chmod', ['777', folder])
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const expectNothingLeft = async (): Promise<void> => {
    await eventually('every process has ended', () => (left().length === 0 ? true : undefined))
    expect(namespaces()).toEqual(before)
    expect(readdirSync(folder)).toEqual([])
  }

  it('tells its story to people, and ends by itself with nothing left behind', async () => {
    const { code, out, err } = await start([]).ended
    expect(err).toBe('')
    expect(code).toBe(0)
    expect(out).toContain('10.77.0.100')
    expect(out.match(/longest time without an answer: \d+ ms/g)).toHaveLength(10)
    await expectNothingLeft()
  })

  it('tells it to programs', async () => {
    const { code, out } = await start([], '--json').ended
    expect(code).toBe(0)
    const report = JSON.parse(out)
    expect(report).toMatchObject({ address: '10.77.0.100', owner: expect.stringMatching(/^node-[abc]$/) })
    const [away, home] = report.moves
    expect(away).toMatchObject({ from: report.owner, changes: 1 })
    expect(home).toMatchObject({ from: away.to, to: report.owner, changes: 1 })
    await expectNothingLeft()
  })

  it('takes everything down when somebody presses Ctrl-C in the middle', async () => {
    const { child, ended, out } = start([])
    await eventually(
      'it is under way',
      () => (out().includes('may not announce any more') ? true : undefined),
      30,
    )
    const pressed = performance.now()
    process.kill(-(child.pid ?? 0), 'SIGINT')
    expect((await ended).code).toBe(130)
    // Nobody waits for long after Ctrl-C.
    expect(performance.now() - pressed).toBeLessThan(5000)
    await expectNothingLeft()
  })

  describe('as a user who is not root', () => {
    const identity = ['--reuid', '65534', '--regid', '65534', '--clear-groups']

    it('does the same, where the kernel allows user namespaces', async context => {
      let why: string | undefined
      const probe = ['unshare', '--user', '--map-root-user', '--net', 'true']
      try {
        execFileSync('setpriv', [...identity, ...probe], { stdio: 'ignore' })
        execFileSync('setpriv', [...identity, execPath, bin, '--version'], { stdio: 'ignore' })
      } catch {
        why = 'needs user namespaces for users who are not root, and files that they can read'
      }
      context.skip(why !== undefined, why)
      const { code, out, err } = await start(['setpriv', ...identity], '--json').ended
      expect(err).toBe('')
      expect(code).toBe(0)
      expect(JSON.parse(out).moves).toHaveLength(10)
      await expectNothingLeft()
    })
  })
})
