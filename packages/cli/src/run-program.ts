import { processTerminal, type Terminal } from './terminal.ts'

/** Runs a program as this process. */
export async function runProgram(
  run: (argv: readonly string[], terminal: Terminal) => Promise<number>,
): Promise<void> {
  // Whoever reads our output may stop early ("| head"): that is no mistake, and there is nobody left to tell.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  // What cannot be said (a full disk) must not hide how the program ended.
  process.stderr.on('error', () => {})
  process.exitCode = await run(process.argv.slice(2), processTerminal)
}
