import { program } from './program.ts'
import { processTerminal } from './terminal.ts'

// Whoever reads our output may stop early ("| head"): that is no mistake, and there is nobody left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

process.exitCode = await program(process.argv.slice(2), processTerminal)
