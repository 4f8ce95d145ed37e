import { notAcceptable } from '../api/status.ts'

/** How a client wants to be answered. */
export interface Accepted {
  readonly format: 'json' | 'yaml'
  /** Objects as they are, as tables, or their metadata alone. */
  readonly as: 'object' | 'table' | 'metadata'
}

const plain: Accepted = { format: 'json', as: 'object' }
const shapes: Readonly<Record<string, Accepted['as']>> = {
  Table: 'table',
  PartialObjectMetadata: 'metadata',
  PartialObjectMetadataList: 'metadata',
}

/** The first of the media types in an Accept header that is known here. @throws Refusal 406 */
export function accept(header: string | undefined): Accepted {
  if (header === undefined || header.trim() === '') return plain
  for (const one of header.split(',')) {
    const [type = '', ...parts] = one.split(';').map(part => part.trim())
    const params = new Map(parts.map(part => part.split('=', 2) as [string, string]))
    const shape = params.get('as')
    if (shape !== undefined && (params.get('g') !== 'meta.k8s.io' || params.get('v') !== 'v1')) continue
    const as = shape === undefined ? 'object' : shapes[shape]
    if (as === undefined) continue
    if (['application/json', 'application/*', '*/*'].includes(type)) return { format: 'json', as }
    if (type === 'application/yaml' && as === 'object') return { format: 'yaml', as }
  }
  throw notAcceptable()
}
