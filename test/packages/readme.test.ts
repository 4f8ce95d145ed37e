import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { nodes } from './support/nodes.ts'
import { compile, packages, project, run } from './support/packed.ts'

const where = join(project, 'readme')

interface Block {
  /** Of the file made of it, without ending. */
  readonly file: string
  readonly language: string
  readonly runs: boolean
  readonly text: string
  /** The `text` block that follows at once: what it prints. */
  readonly output: string
}

/** The code blocks of a README. Those marked `run` end by themselves. */
function blocksOf(short: string, readme: string): readonly Block[] {
  const blocks = [...readme.matchAll(/^```(ts|sh)( run)?\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?/gms)]
  return blocks.map(([, language = '', run, text = '', output = ''], at) => ({
    file: `${short}-${at}`,
    language,
    runs: run !== undefined,
    text,
    output,
  }))
}

const blocks = packages.map(published => ({
  ...published,
  blocks: blocksOf(published.short, published.readme),
}))

let complaints = ''
beforeAll(() => {
  rmSync(where, { recursive: true, force: true })
  mkdirSync(where)
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable'],
    module: 'node20',
    types: ['node'],
    strict: true,
  }
  writeFileSync(join(where, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  for (const { file, language, text } of blocks.flatMap(one => one.blocks))
    writeFileSync(
      join(where, language === 'ts' ? `${file}.ts` : `${file}.sh`),
      // Also what imports nothing is a module.
      language === 'ts' ? `${text}\nexport {}\n` : `set -e\n${text}`,
    )
  complaints = compile(where)
})

describe.each(blocks)('the README of $name', ({ name, short, readme, blocks }) => {
  it('begins with its name and one paragraph that says what it is for', () => {
    expect(readme).toMatch(new RegExp(`^# ${name}\n\n[A-Z][^#]*?[.!]\n`))
  })

  it('has examples that compile, and one at least that runs', () => {
    expect(complaints.split('\n').filter(line => line.includes(`${short}-`))).toEqual([])
    expect(blocks.some(block => block.runs)).toBe(true)
  })

  describe.each(nodes)('under Node $release', ({ path }) => {
    it.each(blocks.filter(block => block.runs))('example $file prints what it says', async block => {
      const script = block.language === 'sh'
      const { printed, code } = await run(
        script ? 'sh' : await path(),
        [script ? `${block.file}.sh` : `${block.file}.js`],
        {
          cwd: where,
          env: {
            ...process.env,
            // `node` is the one that is asked for.
            PATH: [
              join(await path(), '..'),
              join(project, 'node_modules', '.bin'),
              ...(process.env.PATH ?? '').split(delimiter),
            ].join(delimiter),
          },
        },
      )
      expect(printed.replaceAll(/ +$/gm, '')).toBe(block.output)
      expect(code).toBe(0)
    })
  })
})

it('every complaint of the compiler is about an example', () => {
  expect(
    complaints.split('\n').filter(line => line.includes('error') && !/^readme|^[a-z]+-\d/.test(line)),
  ).toEqual([])
})
