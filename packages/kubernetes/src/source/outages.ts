import type { CarillonError } from '@carillon/core'

/** Failures of one resource alone; any other is one of the server, or of the way to it. */
const ofOneResource: ReadonlySet<string> = new Set([
  'API_FORBIDDEN',
  'API_NO_SUCH_RESOURCE',
  'API_INVALID',
  'API_BAD_ANSWER',
])

/** Failures that somebody has to do something about, so they are told apart from a server that is away. */
const ofTheirOwn: ReadonlySet<string> = new Set([
  'API_UNAUTHORIZED',
  'API_UNTRUSTED',
  'CREDENTIALS_UNAVAILABLE',
])

function causeOf(resource: string, { code }: CarillonError): string {
  if (ofOneResource.has(code)) return `${code} ${resource}`
  return ofTheirOwn.has(code) ? code : 'server'
}

/** Tells failures apart that have one cause, so that each cause is told of once, however many resources and attempts it costs. */
export class Outages {
  readonly #causes = new Map<string, string>()
  readonly #told = new Set<string>()

  /**
   * A resource failed. Gives whether that is news. A connection that broke and is made again at once is none.
   *
   * @param synced whether the resource was known before
   */
  failed(resource: string, error: CarillonError, attempts: number, synced: boolean): boolean {
    const cause = causeOf(resource, error)
    if (this.#causes.get(resource) !== cause) this.#leave(resource)
    this.#causes.set(resource, cause)
    if (this.#told.has(cause) || (cause === 'server' && synced && attempts < 2)) return false
    this.#told.add(cause)
    return true
  }

  /** A resource is well again. Gives whether the last of a cause that was told of has gone with it. */
  recovered(resource: string): boolean {
    return this.#leave(resource)
  }

  /** Whether anything fails. */
  get any(): boolean {
    return this.#causes.size > 0
  }

  #leave(resource: string): boolean {
    const cause = this.#causes.get(resource)
    if (cause === undefined) return false
    this.#causes.delete(resource)
    if ([...this.#causes.values()].includes(cause)) return false
    return this.#told.delete(cause)
  }
}
