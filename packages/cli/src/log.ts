import { writeSync } from 'node:fs'
import type { Logger } from '@carillon/core'
import { LogOutput } from './log-output.ts'

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]
export type LogFormat = 'json' | 'pretty'

/** How long until lines that could not be written are tried again, in milliseconds. */
const retryMs = 100
/** How long a process that ends waits for a reader that does not keep up, in milliseconds. */
const lastMs = 200

/** The root logger: JSON lines, or text for people, on standard error. What cannot be written there waits, or is lost and counted. */
export async function makeLogger(level: LogLevel, format: LogFormat): Promise<Logger> {
  const { pino } = await import('pino')
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  // With its first use Node makes a pipe or socket non-blocking: a reader that stands still becomes an error, and does not stop us.
  const { stderr } = process
  const output = new LogOutput({
    write: bytes => writeSync(2, bytes),
    later: run => setTimeout(run, retryMs).unref(),
    lost: lines => logger.warn({ lines }, 'lines of this log are missing: they could not be written'),
  })
  process.once('exit', () => output.finish(patience(lastMs)))
  const logger: Logger = pino(
    options,
    format === 'json' ? output : await prettily(output, stderr.isTTY === true),
  )
  return logger
}

/** Turns lines of JSON into text for people. */
async function prettily(output: LogOutput, colorize: boolean): Promise<{ write(line: string): void }> {
  const { prettyFactory } = await import('pino-pretty')
  const pretty = prettyFactory({ colorize, translateTime: 'SYS:HH:MM:ss.l' })
  return { write: line => output.write(pretty(line) ?? '') }
}

/** Lets its caller go on, with pauses, for some milliseconds. */
function patience(ms: number): () => boolean {
  const until = performance.now() + ms
  const nobody = new Int32Array(new SharedArrayBuffer(4))
  return () => {
    Atomics.wait(nobody, 0, 0, 5)
    return performance.now() < until
  }
}
