import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import type { Problem } from '../config/problem.ts'
import { parseResource, type Resource } from '../resources/index.ts'

/** A file as it was read. */
export interface ManifestFile {
  readonly path: string
  readonly text: string
}

/** One YAML document, or one JSON file: the resources in it, in order, and what is wrong with it. */
export interface ManifestDocument {
  readonly resources: readonly Resource[]
  readonly problems: readonly Problem[]
}

let loaded: typeof Yaml | undefined

/** Loaded with the first YAML text: it takes 9 MB of memory, and a speaker in Kubernetes reads none. */
function yaml(): typeof Yaml {
  loaded ??= createRequire(import.meta.url)('yaml') as typeof Yaml
  return loaded
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A problem with the text itself: there is no object yet to name, so the file stands in its place. */
const textProblem = (file: string, message: string): Problem => ({
  severity: 'error',
  kind: 'Manifest',
  name: file,
  field: '',
  message,
})

/** `List` kinds (`v1 List`, `ServiceList`) give their items; anything else gives itself. */
function* unpack(value: unknown, depth = 0): Generator<unknown> {
  const isList = isObject(value) && typeof value.kind === 'string' && value.kind.endsWith('List')
  if (isList && Array.isArray(value.items) && depth < 8) {
    const kind = (value.kind as string).slice(0, -4)
    for (const item of value.items) {
      // Items of a typed list may leave out what the list says already.
      const typed = isObject(item) && item.kind === undefined && kind !== ''
      yield* unpack(typed ? { apiVersion: value.apiVersion, kind, ...item } : item, depth + 1)
    }
  } else yield value
}

/** How many problems of one object are told. Nobody reads more, and a list of nonsense holds one for every line. */
const toldOfOne = 100

function firstOf(problems: readonly Problem[]): readonly Problem[] {
  const last = problems[toldOfOne]
  if (last === undefined) return problems
  const rest = problems.slice(toldOfOne)
  const severity = rest.some(problem => problem.severity === 'error') ? 'error' : 'warning'
  const message = `and ${rest.length} more problems with this object: correct those above first`
  return [...problems.slice(0, toldOfOne), { ...last, severity, field: '', message }]
}

function fromValue(file: string, value: unknown): ManifestDocument {
  const resources: Resource[] = []
  const problems: Problem[] = []
  for (const item of unpack(value)) {
    if (item === null || item === undefined) continue
    if (!isObject(item) || typeof item.kind !== 'string' || typeof item.apiVersion !== 'string') {
      problems.push(
        textProblem(file, 'holds something that is no Kubernetes object: give it an apiVersion and a kind'),
      )
      continue
    }
    const parsed = parseResource(item)
    if (!parsed) continue
    if (parsed.resource) resources.push(parsed.resource)
    problems.push(...firstOf(parsed.problems))
  }
  return { resources, problems }
}

/** How deep a manifest may nest: no Kubernetes object comes near, and the reader of YAML calls itself for every level. */
const maxDepth = 200

/** Where the tokens nest deeper than that; undefined where they do not. */
function tooDeep(tokens: readonly Yaml.CST.Token[]): number | undefined {
  const todo = tokens.map(token => ({ token, depth: 0 }))
  for (let next = todo.pop(); next; next = todo.pop()) {
    const { token, depth } = next
    if (depth > maxDepth) return token.offset
    if (token.type === 'document' && token.value) todo.push({ token: token.value, depth })
    if (!('items' in token)) continue
    for (const { key, value } of token.items) {
      if (key) todo.push({ token: key, depth: depth + 1 })
      if (value) todo.push({ token: value, depth: depth + 1 })
    }
  }
  return undefined
}

/** What the YAML library means, where its own words do not help. */
function plainWords(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  if (message.startsWith('Excessive alias count')) return 'its aliases repeat too much: write the values out'
  return message
}

/**
 * How many characters of YAML one document may have: as many bytes as Kubernetes stores of one object. A `List` of thousands has more, and
 * reading it takes seconds in which nothing else happens, where JSON takes a moment.
 */
const maxYaml = 1.5 * 1024 * 1024

function fromYaml(file: string, text: string, firstLine: number): ManifestDocument {
  if (text.length > maxYaml) {
    const why = `holds a YAML document of more than ${maxYaml / 2 ** 20} MiB at line ${firstLine}`
    const advice =
      'write it as JSON (kubectl get -o json) into a file that ends in .json, or split it with "---"'
    return { resources: [], problems: [textProblem(file, `${why}: ${advice}`)] }
  }
  const { Composer, LineCounter, Parser } = yaml()
  const counter = new LineCounter()
  const found: ManifestDocument[] = []
  const tell = (problem: Problem): unknown => found.push({ resources: [], problems: [problem] })
  const invalid = (offset: number, why: string): Problem =>
    textProblem(file, `is not valid YAML at line ${firstLine + counter.linePos(offset).line - 1}: ${why}`)
  const tokens = [...new Parser(counter.addNewLine).parse(text)]
  const deep = tooDeep(tokens)
  if (deep !== undefined)
    return { resources: [], problems: [invalid(deep, `it nests deeper than ${maxDepth} levels`)] }
  // kubectl takes "<<" as well.
  const composer = new Composer({ prettyErrors: false, uniqueKeys: true, merge: true })
  for (const document of composer.compose(tokens)) {
    const [error] = document.errors
    if (error) {
      tell(invalid(error.pos[0], plainWords(error)))
      continue
    }
    let value: unknown
    try {
      value = document.toJS({ maxAliasCount: 100 })
    } catch (error) {
      tell(textProblem(file, `is not usable YAML: ${plainWords(error)}`))
      continue
    }
    found.push(fromValue(file, value))
  }
  return {
    resources: found.flatMap(({ resources }) => resources),
    problems: found.flatMap(({ problems }) => problems),
  }
}

function fromJson(file: string, text: string): ManifestDocument {
  try {
    return fromValue(file, JSON.parse(text))
  } catch (error) {
    return { resources: [], problems: [textProblem(file, `is not valid JSON: ${plainWords(error)}`)] }
  }
}

/**
 * Reads manifests, and remembers every document by its text: one that did not change gives the very same resources again,
 * so that an edit in a file of ten thousand objects costs one document.
 */
export class ManifestReader {
  #documents = new Map<string, ManifestDocument>()

  read(files: readonly ManifestFile[]): readonly ManifestDocument[] {
    const next = new Map<string, ManifestDocument>()
    const out: ManifestDocument[] = []
    const keep = (key: string, parse: () => ManifestDocument): void => {
      const document = next.get(key) ?? this.#documents.get(key) ?? parse()
      next.set(key, document)
      out.push(document)
    }
    for (const { path, text } of files) {
      const body = text.startsWith('\ufeff') ? text.slice(1) : text
      if (/^\s*[{[]/.test(body) && path.endsWith('.json')) {
        keep(`${path}\0${body}`, () => fromJson(path, body))
        continue
      }
      // "---" at the start of a line ends a document wherever it stands, so the text can be cut there before it is parsed.
      let line = 1
      for (const part of body.split(/^(?=---(?:\s|$))/m)) {
        const firstLine = line
        line += part.split('\n').length - 1
        // The line number is part of the key only where a message would show it.
        if (part.trim() !== '' && part.trim() !== '---') {
          const known = next.get(part) ?? this.#documents.get(part)
          if (known && known.problems.length === 0) keep(part, () => known)
          else {
            const parsed = fromYaml(path, part, firstLine)
            if (parsed.problems.length === 0) next.set(part, parsed)
            out.push(parsed)
          }
        }
      }
    }
    this.#documents = next
    return out
  }
}
