import type { Command } from 'commander'
import { bashScript } from './bash.ts'
import { fishScript } from './fish.ts'
import { branchesOf } from './tree.ts'
import { zshScript } from './zsh.ts'

/** The shells that there is a script for. */
export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** The script that makes a shell complete the commands and flags of a program. */
export function completionScript(shell: Shell, root: Command): string {
  const branches = branchesOf(root)
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](branches)
}
