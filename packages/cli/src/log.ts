import type { Logger } from '@carillon/core'

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]
export type LogFormat = 'json' | 'pretty'

/** The root logger: JSON lines, or text for people, on standard error. */
export async function makeLogger(level: LogLevel, format: LogFormat): Promise<Logger> {
  const { pino } = await import('pino')
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  if (format === 'json') {
    const logger: Logger = pino(options, pino.destination({ dest: 2, sync: true }))
    return logger
  }
  const { default: pretty } = await import('pino-pretty')
  const colorize = process.stderr.isTTY === true
  const stream = pretty({ destination: 2, sync: true, colorize, translateTime: 'SYS:HH:MM:ss.l' })
  const logger: Logger = pino(options, stream)
  return logger
}
