import { execFileSync, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = join(root, 'node_modules', '.cache', 'packed')

/** An empty project into which npm has installed every package from its tarball. */
export const project: string = join(folder, 'project')

/** A published package. */
export interface Published {
  /** Of its folder. */
  readonly short: string
  readonly name: string
  readonly tarball: string
  readonly readme: string
  readonly exports: readonly string[]
}

/** Every package that is published. */
export const packages: readonly Published[] = readdirSync(join(root, 'packages'))
  .sort()
  .map(short => {
    const read = (file: string): string => readFileSync(join(root, 'packages', short, file), 'utf8')
    const { name, version, exports } = JSON.parse(read('package.json')) as {
      readonly name: string
      readonly version: string
      readonly exports: object
    }
    return {
      short,
      name,
      tarball: join(folder, `carillon-${short}-${version}.tgz`),
      readme: read('README.md'),
      exports: Object.keys(exports),
    }
  })

/** The paths of the files in a tarball. */
export const filesOf = ({ tarball }: Published): readonly string[] =>
  execFileSync('tar', ['--list', '--gzip', '--file', tarball], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map(path => path.replace(/^package\//, ''))
    .sort()

/** Compiles a folder below the project with the compiler of this repository, as a user would; gives what it finds. */
export function compile(where: string): string {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const types = ['--typeRoots', join(root, 'node_modules', '@types')]
  try {
    return execFileSync(process.execPath, [tsc, '--project', where, ...types], { encoding: 'utf8' })
  } catch (error) {
    return (error as { readonly stdout: string }).stdout
  }
}

/** Runs a program and gives what it printed on either stream, and how it ended. */
export function run(
  program: string,
  words: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<{ readonly printed: string; readonly code: number | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, { ...options, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 })
    let printed = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        printed += chunk.toString()
      })
    child.once('error', reject)
    child.once('close', code => resolve({ printed, code }))
  })
}
