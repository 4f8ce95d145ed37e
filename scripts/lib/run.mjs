import { spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import { root } from './project.mjs'

/**
 * Runs a program from the repository's root and resolves to its exit code (128 + signal number where a signal ended it,
 * 127 where it could not be started) and, with `capture`, to everything it printed. `yielding`: at the lowest priority.
 */
export function run(command, args, { env = {}, capture = false, cwd = root, yielding = false } = {}) {
  return new Promise(resolve => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: capture ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    })
    if (yielding && child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW)
    let output = ''
    for (const stream of capture ? [child.stdout, child.stderr] : []) {
      stream.setEncoding('utf8')
      stream.on('data', text => {
        output += text
      })
    }
    // Ctrl-C reaches the child by itself (one process group); we stay to see it clean up.
    const stay = () => {}
    const forward = () => child.kill('SIGTERM')
    process.on('SIGINT', stay)
    process.on('SIGTERM', forward)
    const done = code => {
      process.off('SIGINT', stay)
      process.off('SIGTERM', forward)
      resolve({ code, output })
    }
    child.on('error', error => {
      output += `${command}: ${error.message}\n`
      if (!capture) console.error(`${command}: ${error.message}`)
      done(127)
    })
    child.on('close', (code, signal) => done(code ?? 128 + (signal === 'SIGINT' ? 2 : 15)))
  })
}

/** Ends a script with a message for a person. */
export class Stop extends Error {
  constructor(message, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Runs a script's main function; a `Stop` becomes its message on stderr and its exit code. */
export async function main(body) {
  try {
    process.exitCode = (await body()) ?? 0
  } catch (error) {
    if (!(error instanceof Stop)) throw error
    console.error(error.message)
    process.exitCode = error.exitCode
  }
}
