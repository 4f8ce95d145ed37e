import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { program } from '@carillon/cli'
import type { PlanDocument } from '@carillon/core'

export interface Answer {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the program as a person would, and tells what they would have seen. */
export async function carillon(...argv: readonly string[]): Promise<Answer> {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await program(argv, {
    print: text => void out.push(text),
    warn: text => void err.push(text),
    colour: false,
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** Runs a command over files that exist only meanwhile, by their names. */
export async function over(
  files: Readonly<Record<string, string | Uint8Array>>,
  command: 'plan' | 'validate',
  ...flags: readonly string[]
): Promise<Answer> {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-acceptance-'))
  try {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
    return await carillon(command, '--manifests', folder, ...flags)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Each object as a YAML document (JSON is YAML). */
export const asYaml = (manifests: readonly object[]): string =>
  manifests.map(manifest => `---\n${JSON.stringify(manifest)}\n`).join('')

export interface Planned extends PlanDocument {
  readonly code: number
}

export async function planOf(manifests: readonly object[], ...flags: readonly string[]): Promise<Planned> {
  const { code, out } = await over({ 'all.yaml': asYaml(manifests) }, 'plan', '--json', ...flags)
  return { code, ...(JSON.parse(out) as PlanDocument) }
}
