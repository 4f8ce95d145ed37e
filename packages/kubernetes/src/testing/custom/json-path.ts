import { isFields } from '../api/object.ts'

type Step =
  | { readonly field: string }
  | { readonly index: number }
  | { readonly every: true }
  | { readonly path: readonly Step[]; readonly equals: unknown }

/** A path into an object, as printer columns write it: `.spec.addresses`, `.status.conditions[?(@.type=="Ready")].status`. */
export class JsonPath {
  readonly #steps: readonly Step[]

  /** @throws SyntaxError when the text is no path of the kind that printer columns can have. */
  constructor(text: string) {
    const inner = /^\{(.*)\}$/.exec(text)?.[1] ?? text
    if (!/^[.[]/.test(inner)) throw new SyntaxError('must begin with .')
    this.#steps = parse(inner)
  }

  /** All values that the path leads to. */
  read(value: unknown): readonly unknown[] {
    return walk(value, this.#steps)
  }
}

const token =
  /^(?:\.((?:[^.[\\]|\\.)+)|\['([^']*)'\]|\["([^"]*)"\]|\[(-?\d+)\]|\[(\*)\]|\.(\*)|\[\?\(@(.+?)==\s*(.+?)\)\])/

function parse(text: string): Step[] {
  const steps: Step[] = []
  let rest = text
  while (rest !== '' && rest !== '.') {
    const found = token.exec(rest)
    if (found === null) throw new SyntaxError(`cannot read ${rest}`)
    const [all, field, single, double, index, star, dotStar, path, literal] = found
    const name = field?.replaceAll(/\\(.)/g, '$1') ?? single ?? double
    if (star !== undefined || dotStar !== undefined || name === '*') steps.push({ every: true })
    else if (name !== undefined) steps.push({ field: name })
    else if (index !== undefined) steps.push({ index: Number(index) })
    else steps.push({ path: parse((path ?? '').trim()), equals: literalOf((literal ?? '').trim()) })
    rest = rest.slice(all.length)
  }
  return steps
}

function literalOf(text: string): unknown {
  const quoted = /^(['"])(.*)\1$/.exec(text)
  if (quoted !== null) return quoted[2]
  if (text === 'true' || text === 'false') return text === 'true'
  if (text !== '' && !Number.isNaN(Number(text))) return Number(text)
  throw new SyntaxError(`cannot compare with ${text}`)
}

function walk(value: unknown, steps: readonly Step[]): readonly unknown[] {
  const [step, ...rest] = steps
  if (step === undefined) return value === undefined || value === null ? [] : [value]
  if ('field' in step) return isFields(value) ? walk(value[step.field], rest) : []
  if ('index' in step) return Array.isArray(value) ? walk(value.at(step.index), rest) : []
  const items = Array.isArray(value) ? value : isFields(value) ? Object.values(value) : []
  if ('every' in step) return items.flatMap(item => walk(item, rest))
  return items
    .filter(item => walk(item, step.path).some(found => found === step.equals))
    .flatMap(item => walk(item, rest))
}
