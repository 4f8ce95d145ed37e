import type { Logger } from '../logger.ts'
import type { Labels, Metrics } from '../metrics.ts'

/** A line that was logged: its level, its message, and its fields. */
export interface LogLine {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** A logger that keeps its lines, for assertions. Children share them, each with its own fields bound. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[]
  readonly #bound: Readonly<Record<string, unknown>>

  constructor(lines: LogLine[] = [], bound: Readonly<Record<string, unknown>> = {}) {
    this.lines = lines
    this.#bound = bound
  }

  #keep(level: LogLine['level'], fields: object, message: string): void {
    this.lines.push({ level, message, fields: { ...this.#bound, ...fields } })
  }

  trace(fields: object, message: string): void {
    this.#keep('trace', fields, message)
  }

  debug(fields: object, message: string): void {
    this.#keep('debug', fields, message)
  }

  info(fields: object, message: string): void {
    this.#keep('info', fields, message)
  }

  warn(fields: object, message: string): void {
    this.#keep('warn', fields, message)
  }

  error(fields: object, message: string): void {
    this.#keep('error', fields, message)
  }

  child(fields: Record<string, unknown>): Logger {
    return new RecordingLogger(this.lines, { ...this.#bound, ...fields })
  }
}

/** Metrics that can be read back: `value('name', { label: 'x' })`. */
export class RecordingMetrics implements Metrics {
  readonly #values = new Map<string, number>()

  #key(name: string, labels: Labels = {}): string {
    return `${name} ${JSON.stringify(Object.entries(labels).sort())}`
  }

  /** The number under this name and these labels; undefined when nothing was ever recorded there. */
  value(name: string, labels: Labels = {}): number | undefined {
    return this.#values.get(this.#key(name, labels))
  }

  counter(name: string): { inc(labels?: Labels, by?: number): void } {
    return {
      inc: (labels, by = 1) => {
        const key = this.#key(name, labels)
        this.#values.set(key, (this.#values.get(key) ?? 0) + by)
      },
    }
  }

  gauge(name: string): { set(value: number, labels?: Labels): void; remove(labels: Labels): void } {
    return {
      set: (value, labels) => this.#values.set(this.#key(name, labels), value),
      remove: labels => this.#values.delete(this.#key(name, labels)),
    }
  }

  histogram(name: string): { observe(value: number, labels?: Labels): void } {
    return { observe: (value, labels) => this.#values.set(this.#key(name, labels), value) }
  }
}
