import { fieldPath } from '../resources/value.ts'
import type { Problem } from './problem.ts'

/** A place in a resource at which problems can be reported: `at` goes deeper, `error` and `warning` say what is wrong there. */
export class Spot {
  readonly #problems: Problem[]
  readonly kind: string
  readonly name: string
  readonly field: string

  constructor(problems: Problem[], kind: string, name: string, field = '') {
    this.#problems = problems
    this.kind = kind
    this.name = name
    this.field = field
  }

  /** The place below: a number is an index, text a field or a map key. */
  at(step: string | number): Spot {
    const field = typeof step === 'number' ? `${this.field}[${step}]` : fieldPath(this.field, step)
    return new Spot(this.#problems, this.kind, this.name, field)
  }

  error(message: string): void {
    this.#report('error', message)
  }

  warning(message: string): void {
    this.#report('warning', message)
  }

  #report(severity: Problem['severity'], message: string): void {
    this.#problems.push({ severity, kind: this.kind, name: this.name, field: this.field, message })
  }
}

/** Reports each text that an earlier item of the list has already. */
export function refuseDuplicates(list: readonly string[], spot: Spot): void {
  const first = new Map<string, number>()
  for (const [i, text] of list.entries()) {
    const earlier = first.get(text)
    if (earlier === undefined) first.set(text, i)
    else spot.at(i).error(`"${text}" is in the list already, at [${earlier}]: remove one of them`)
  }
}
