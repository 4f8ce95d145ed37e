import { CarillonError } from '@carillon/core'

/** A pod as far as it matters here. */
export interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string }
  readonly spec?: {
    readonly nodeName?: string
    readonly containers?: readonly {
      readonly args?: readonly string[]
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[]
    }[]
  }
  readonly status?: {
    readonly phase?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false

/** Chooses the speaker to ask: on the node if one is given; ready ones first. Throws `NO_SPEAKER` that says which there are. */
export function chooseSpeaker(pods: readonly Pod[], where: string, node: string | undefined): Pod {
  const running = pods.filter(
    ({ metadata, status }) => status?.phase === 'Running' && metadata.deletionTimestamp === undefined,
  )
  const candidates = running
    .filter(({ spec }) => node === undefined || spec?.nodeName === node)
    .sort((a, b) => Number(isReady(b)) - Number(isReady(a)) || (a.metadata.name < b.metadata.name ? -1 : 1))
  const [best] = candidates
  if (best) return best
  const nodes = running.flatMap(({ spec }) => spec?.nodeName ?? []).sort()
  const found =
    nodes.length > 0
      ? `speakers run on ${nodes.join(', ')}`
      : `${pods.length === 0 ? 'there is no such pod' : `none of ${pods.length} such pods runs`}: name others with --namespace and --selector`
  throw new CarillonError(
    'NO_SPEAKER',
    `no speaker runs${node === undefined ? '' : ` on ${node}`} (${where}); ${found}`,
  )
}

/** The port at which others than the node itself reach a speaker: with --port it serves there, as in `components/metrics`. */
export function openPort({ spec }: Pod): number | undefined {
  for (const { args = [], ports = [] } of spec?.containers ?? []) {
    const given = args.join(' ').match(/(?:^|\s)--port[= ](\d+)(?:\s|$)/)?.[1]
    if (given !== undefined && given !== '0') return Number(given)
    const named = ports.find(({ name }) => name === 'metrics')
    if (named) return named.containerPort
  }
  return undefined
}
