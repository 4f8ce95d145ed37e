import type { KeyObject } from 'node:crypto'
import {
  type CertificateTexts,
  isSignedBy,
  names,
  type ReadCertificate,
  readCertificates,
  readKey,
} from './held-certificates.ts'
import { type Certified, issueLeaf, makeAuthority } from './x509.ts'

/** How long certificates live and when they are replaced. Times in milliseconds. */
export interface RotationOptions {
  /**
   * How long an authority is valid.
   * @default 730 days
   */
  readonly authorityMs?: number
  /**
   * An authority that is valid for less than this is replaced.
   * @default 180 days
   */
  readonly authorityRenewMs?: number
  /**
   * How long a serving certificate is valid.
   * @default 90 days
   */
  readonly leafMs?: number
  /**
   * A serving certificate that is valid for less than this is replaced.
   * @default 30 days
   */
  readonly leafRenewMs?: number
  /**
   * How long a new authority is trusted before it signs, and an old one after it has been replaced.
   * @default 1 hour
   */
  readonly overlapMs?: number
}

/** Where certificates come from. */
export interface Mint {
  readonly makeAuthority: typeof makeAuthority
  readonly issueLeaf: typeof issueLeaf
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Certificates are valid from so long before they are made: clocks differ. */
const skewMs = hourMs

/** The name of our authorities. One of another name is somebody else's: it is trusted while it serves, and signs nothing. */
const authorityName = 'carillon-webhook-authority'

interface Authority extends ReadCertificate {
  readonly key: string
}

interface Held {
  /** All that are to be trusted. */
  readonly trusted: readonly ReadCertificate[]
  /** The one that can sign. */
  readonly signer: Authority | undefined
  /** The one that is going to sign. */
  readonly next: Authority | undefined
  readonly leaf: ReadCertificate | undefined
  readonly leafKey: string
}

/**
 * The life of a webhook's certificates, as a pure decision on what the Secret holds. A new authority is trusted for a while before it signs
 * anything, and an old one for a while after, so that at each moment whoever verifies trusts what is served, also while replicas are apart.
 */
export class Rotation {
  readonly #hosts: readonly string[]
  readonly #authorityMs: number
  readonly #authorityRenewMs: number
  readonly #leafMs: number
  readonly #leafRenewMs: number
  readonly #overlapMs: number
  readonly #mint: Mint

  constructor(
    hosts: readonly string[],
    options: RotationOptions = {},
    mint: Mint = { makeAuthority, issueLeaf },
  ) {
    this.#hosts = hosts
    this.#authorityMs = options.authorityMs ?? 730 * dayMs
    this.#authorityRenewMs = options.authorityRenewMs ?? 180 * dayMs
    this.#leafMs = options.leafMs ?? 90 * dayMs
    this.#leafRenewMs = options.leafRenewMs ?? 30 * dayMs
    this.#overlapMs = options.overlapMs ?? hourMs
    this.#mint = mint
  }

  /**
   * What the Secret has to hold; the very same object when it is right as it is.
   *
   * @param published whether everyone who verifies trusts what `ca.crt` holds
   */
  next(texts: CertificateTexts, now: Date, published: boolean): CertificateTexts {
    const held = this.#read(texts, now)
    if (!held.leaf) return this.#restart(held, now)
    const { signer, next } = held
    const old = signer === undefined || this.#left(signer, now) < this.#authorityRenewMs
    if (next) {
      const known = published && this.#age(next, now) >= this.#overlapMs
      if (known) return this.#serve({ ...held, signer: next, next: undefined }, now)
    } else if (old) {
      return textsOf({ ...held, next: this.#authority(now) })
    }
    if (signer && this.#left(held.leaf, now) < this.#leafRenewMs && this.#outlives(signer, held.leaf)) {
      return this.#serve(held, now)
    }
    return this.#settle(texts, held, now)
  }

  /** There is nothing that can be served: whatever is made is served at once. */
  #restart(held: Held, now: Date): CertificateTexts {
    const { next, signer } = held
    if (signer) return this.#serve(held, now)
    return this.#serve({ ...held, signer: next ?? this.#authority(now), next: undefined }, now)
  }

  /** A new serving certificate by the signer. */
  #serve(held: Held & { readonly signer: Authority | undefined }, now: Date): CertificateTexts {
    const signer = held.signer as Authority
    const to = Math.min(now.getTime() + this.#leafMs, signer.to.getTime())
    const { certificate, key } = this.#mint.issueLeaf(
      { commonName: authorityName, key: signer.key },
      { commonName: this.#hosts[0] ?? '', hosts: this.#hosts, from: since(now), to: new Date(to) },
    )
    return { ...textsOf({ ...held, leaf: undefined }), 'tls.crt': certificate, 'tls.key': key }
  }

  /** Authorities whose certificates nobody serves any more are no longer trusted. */
  #settle(texts: CertificateTexts, held: Held, now: Date): CertificateTexts {
    const { signer, next, leaf, trusted } = held
    if (!leaf || !signer || this.#age(leaf, now) < this.#overlapMs) return texts
    const kept = trusted.filter(
      one => one.pem === signer.pem || one.pem === next?.pem || isSignedBy(leaf, one),
    )
    return kept.length === readCertificates(texts['ca.crt']).length
      ? texts
      : textsOf({ ...held, trusted: kept })
  }

  #read(texts: CertificateTexts, now: Date): Held {
    const trusted = readCertificates(texts['ca.crt']).filter(one => one.x509.ca && isValid(one, now))
    const [leaf] = readCertificates(texts['tls.crt'])
    const leafKey = readKey(texts['tls.key'])
    const usable =
      leaf &&
      leafKey &&
      leaf.x509.checkPrivateKey(leafKey) &&
      isValid(leaf, now) &&
      this.#hosts.every(host => names(leaf, host)) &&
      trusted.some(authority => isSignedBy(leaf, authority))
    return {
      trusted,
      signer: ours(trusted, texts['ca.key']),
      next: ours(trusted, texts['ca.key.next']),
      leaf: usable ? leaf : undefined,
      leafKey: texts['tls.key'] ?? '',
    }
  }

  #authority(now: Date): Authority {
    const to = new Date(now.getTime() + this.#authorityMs)
    const made: Certified = this.#mint.makeAuthority({ commonName: authorityName, from: since(now), to })
    const [read] = readCertificates(made.certificate)
    return { ...(read as ReadCertificate), key: made.key }
  }

  #left({ to }: ReadCertificate, now: Date): number {
    return to.getTime() - now.getTime()
  }

  /** How long ago it was made. */
  #age({ from }: ReadCertificate, now: Date): number {
    return now.getTime() - from.getTime() - skewMs
  }

  /** Whether a new serving certificate would be good for longer than the present one. */
  #outlives(signer: Authority, leaf: ReadCertificate): boolean {
    return signer.to.getTime() > leaf.to.getTime()
  }
}

const since = (now: Date): Date => new Date(now.getTime() - skewMs)

const isValid = ({ from, to }: ReadCertificate, now: Date): boolean => from <= now && now < to

/** The authority of ours that a key belongs to. */
function ours(trusted: readonly ReadCertificate[], text: string | undefined): Authority | undefined {
  const key: KeyObject | undefined = readKey(text)
  if (key?.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return undefined
  const found = trusted.find(
    ({ x509 }) => x509.subject === `CN=${authorityName}` && x509.checkPrivateKey(key),
  )
  return found && { ...found, key: text as string }
}

/** The files: the authority that signs comes first, for those who read one certificate only. */
function textsOf({ trusted, signer, next, leaf, leafKey }: Held): CertificateTexts {
  const all = [...(signer ? [signer] : []), ...trusted, ...(next ? [next] : [])].map(one => one.pem)
  return {
    'ca.crt': [...new Set(all)].join(''),
    ...(signer ? { 'ca.key': signer.key } : {}),
    ...(next ? { 'ca.key.next': next.key } : {}),
    ...(leaf ? { 'tls.crt': leaf.pem, 'tls.key': leafKey } : {}),
  }
}
