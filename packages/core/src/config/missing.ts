import { nearest } from '../resources/nearest.ts'

const withoutDigits = (name: string): string => name.replace(/\d+/g, '#')

/** The start of a message about a reference that leads nowhere; a name that is nearly the same is offered. */
export function missing(what: string, name: string, known: Iterable<string>): string {
  // tor-1 and tor-2 are neighbours, not misspellings of each other.
  const others = [...known].filter(other => withoutDigits(other) !== withoutDigits(name))
  const meant = name.length < 3 ? undefined : nearest(name, others.sort())
  return `there is no ${what} "${name}"${meant === undefined ? '' : ` (did you mean "${meant}"?)`}`
}
