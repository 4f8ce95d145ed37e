import type { Problem } from '../config/problem.ts'

/** Collects what is wrong with one object. */
export class Report {
  readonly problems: Problem[] = []
  readonly #kind: string
  readonly #name: string
  readonly #namespace: string | undefined
  #failed = false

  constructor(kind: string, name: string, namespace?: string) {
    this.#kind = kind
    this.#name = name
    this.#namespace = namespace
  }

  /** Whether the object cannot be used. */
  get failed(): boolean {
    return this.#failed
  }

  error(field: string, message: string): void {
    this.#failed = true
    this.#add('error', field, message)
  }

  warning(field: string, message: string): void {
    this.#add('warning', field, message)
  }

  #add(severity: Problem['severity'], field: string, message: string): void {
    const namespace = this.#namespace
    this.problems.push({
      severity,
      kind: this.#kind,
      name: this.#name,
      field,
      message,
      ...(namespace === undefined ? {} : { namespace }),
    })
  }
}
