import { writeSync } from 'node:fs'
import type { Logger } from '@carillon/core'
import { LogOutput } from './log-output.ts'

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]
export type LogFormat = 'json' | 'pretty'

/** How long until lines that could not be written are tried again, in milliseconds. */
const retryMs = 1000

/** The root logger: JSON lines, or text for people, on standard error. What cannot be written there waits, or is lost and counted. */
export async function makeLogger(level: LogLevel, format: LogFormat): Promise<Logger> {
  const { pino } = await import('pino')
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  const output = new LogOutput({
    write: bytes => writeSync(2, bytes),
    later: run => setTimeout(run, retryMs).unref(),
    lost: lines => logger.warn({ lines }, 'lines of this log are missing: they could not be written'),
  })
  const logger: Logger = pino(options, format === 'json' ? output : await prettily(output))
  return logger
}

/** Turns lines of JSON into text for people. */
async function prettily(output: LogOutput): Promise<{ write(line: string): void }> {
  const { prettyFactory } = await import('pino-pretty')
  const colorize = process.stderr.isTTY === true
  const pretty = prettyFactory({ colorize, translateTime: 'SYS:HH:MM:ss.l' })
  return { write: line => output.write(pretty(line) ?? '') }
}
