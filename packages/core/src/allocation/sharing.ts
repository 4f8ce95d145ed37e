import type { Service } from '../resources/index.ts'
import { annotationOf } from './annotation.ts'

/** What decides with whom a Service may share an address. */
export interface Sharing {
  /** The sharing key; empty: shares with nobody. */
  readonly key: string
  /**
   * Services on one address must lead to the same nodes: `cluster` for externalTrafficPolicy Cluster, the selector for
   * Local. A Local Service without selector is not the same as a Cluster one.
   */
  readonly backend: string
  /** Key and backend together; empty: shares with nobody. Services of one group share where their ports differ. */
  readonly group: string
  /** `TCP/80`, distinct, in the order of the Service. */
  readonly ports: readonly string[]
}

/** Reads the sharing key, the traffic policy and the ports of a Service. */
export function sharingOf({ metadata, spec }: Service): Sharing {
  const key = annotationOf(metadata.annotations, 'allow-shared-ip') ?? ''
  const backend =
    spec.externalTrafficPolicy === 'Local'
      ? `local:${Object.keys(spec.selector)
          .sort()
          .map(name => `${name}=${spec.selector[name]}`)
          .join(',')}`
      : 'cluster'
  const all = spec.ports.map(({ protocol, port }) => `${protocol}/${port}`)
  const ports = all.length > 1 ? [...new Set(all)] : all
  return { key, backend, group: key === '' ? '' : `${key}\n${backend}`, ports }
}

/** The first port that both want; undefined when they have none in common. */
export const commonPort = (a: Sharing, b: Sharing): string | undefined =>
  a.ports.find(port => b.ports.includes(port))

/** Whether two Services may have one address together. */
export const mayShare = (a: Sharing, b: Sharing): boolean =>
  a.group !== '' && a.group === b.group && commonPort(a, b) === undefined

/** Whether the two say the same, so that nobody else is affected when one takes the place of the other. */
export const sameSharing = (a: Sharing, b: Sharing): boolean =>
  a === b ||
  (a.key === b.key &&
    a.backend === b.backend &&
    a.ports.length === b.ports.length &&
    a.ports.every((port, i) => port === b.ports[i]))
