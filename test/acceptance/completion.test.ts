import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { missing } from '../support/missing.ts'
import { carillon } from './carillon.ts'

let folder = ''

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'carillon-completion-'))
  writeFileSync(join(folder, 'some-file'), '')
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, out } = await carillon('completion', shell)
    expect(code).toBe(0)
    writeFileSync(join(folder, shell), out)
  }
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What a shell offers for a command line whose last word is unfinished. */
type Offer = (...line: readonly string[]) => readonly string[]

const run = (command: string, ...args: readonly string[]): readonly string[] =>
  execFileSync(command, args, { cwd: folder, encoding: 'utf8', env: { ...process.env, HOME: folder } })
    .split('\n')
    .filter(line => line !== '')

const quoted = (words: readonly string[]): string => words.map(word => `'${word}'`).join(' ')

const bash: Offer = (...line) =>
  run(
    'bash',
    '--norc',
    '-c',
    `source ./bash; complete -p carillon >/dev/null || exit 1
     COMP_WORDS=(${quoted(line)}); COMP_CWORD=${line.length - 1}; _carillon; printf '%s\\n' "\${COMPREPLY[@]}"`,
  )

// Without a terminal there is no completion system: functions that print take what is offered.
const zsh: Offer = (...line) =>
  run(
    'zsh',
    '-f',
    '-c',
    `compdef() { [[ "$*" == '_carillon carillon' ]] || exit 1 }; source ./zsh
     _describe() { print -l -- "\${(@)\${(P)2}%%:*}" }; compadd() { shift; print -l -- "$@" }; _files() { ls }
     words=(${quoted(line)}); CURRENT=${line.length}; _carillon`,
  ).filter(word => word.startsWith(line.at(-1) ?? ''))

const fish: Offer = (...line) =>
  run('fish', '--no-config', '-c', `source ./fish; complete -C "${line.join(' ')}"`).map(
    offered => offered.split('\t')[0] ?? '',
  )

describe.each([
  ['bash', bash],
  ['zsh', zsh],
  ['fish', fish],
] as const)('%s', (shell, offer) => {
  const why = shell === 'bash' ? undefined : missing(shell)
  if (why !== undefined) {
    it('completes', context => context.skip(true, why))
    return
  }

  it('offers the commands, and those below them', () => {
    const commands = offer('carillon', 's')
    expect(commands).toEqual(expect.arrayContaining(['speaker', 'status']))
    expect(commands.filter(word => !word.startsWith('s'))).toEqual([])
    expect(offer('carillon', 'bgp', 'r')).toEqual(['routes'])
    expect(offer('carillon', 'completion', 'f')).toEqual(['fish'])
  })

  it('offers the flags of a command, and not those of others or hidden ones', () => {
    const flags = offer('carillon', 'drain', '--')
    expect(flags).toEqual(expect.arrayContaining(['--dry-run', '--json', '--alive', '--help']))
    expect(flags).not.toContain('--follow')
    expect(offer('carillon', 'speaker', '--frr')).toEqual([])
  })

  it('offers the choices of a flag, files where it wants one, and nothing where it wants another thing', () => {
    expect(offer('carillon', 'run', '--gossip-profile', 'l')).toEqual(['lan', 'local'])
    expect(offer('carillon', 'run', '--json', '--manifests', 'some')).toEqual(['some-file'])
    expect(offer('carillon', 'run', '--node', '')).toEqual([])
  })
})
