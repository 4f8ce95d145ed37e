import type { Problem } from '@carillon/core'
import { paint, type Terminal } from '../terminal.ts'

/** One line a problem: severity, object, field, what is wrong. */
export function problemLines(problems: readonly Problem[], terminal: Terminal): readonly string[] {
  return problems.map(({ severity, kind, namespace, name, field, message }) => {
    const object = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`
    return `${paint(terminal, severity === 'error' ? 'red' : 'yellow', severity)}: ${object}${field === '' ? '' : ` ${field}`}: ${message}`
  })
}
