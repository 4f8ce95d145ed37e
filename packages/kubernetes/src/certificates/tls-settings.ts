import { createSecureContext, type SecureVersion } from 'node:tls'
import { CarillonError } from '@carillon/core'

/** What is taken of TLS, in the words of Kubernetes' flags (and of MetalLB's `--tls-…`). */
export interface TlsOptions {
  /**
   * `VersionTLS12` or `VersionTLS13`.
   * @default 'VersionTLS13'
   */
  readonly minVersion?: string
  /** IANA names, in order of preference; of TLS 1.2 alone, as those of 1.3 are not up for choice. */
  readonly cipherSuites?: readonly string[]
  /** `X25519`, `CurveP256`, `CurveP384`, `CurveP521`, or what else OpenSSL knows, in order of preference. */
  readonly curvePreferences?: readonly string[]
}

/** The same in the words of Node.js. */
export interface TlsSettings {
  readonly minVersion: SecureVersion
  readonly ciphers?: string
  readonly ecdhCurve?: string
}

const versions: Readonly<Record<string, SecureVersion>> = { VersionTLS12: 'TLSv1.2', VersionTLS13: 'TLSv1.3' }

/** Suites of TLS 1.2 that encrypt with authentication and are not broken (RFC 9325 section 4.2), by their names at IANA and OpenSSL. */
const suites: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
}

const curves: Readonly<Record<string, string>> = {
  CurveP256: 'P-256',
  CurveP384: 'P-384',
  CurveP521: 'P-521',
}

const lookUp = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined

const bad = (message: string): CarillonError => new CarillonError('BAD_TLS_OPTION', message)

/** Reads what is taken of TLS. Throws `BAD_TLS_OPTION`. */
export function tlsSettings({
  minVersion,
  cipherSuites = [],
  curvePreferences = [],
}: TlsOptions = {}): TlsSettings {
  const version = lookUp(versions, minVersion ?? 'VersionTLS13')
  if (version === undefined) throw bad(`"${minVersion}" is no TLS version: use VersionTLS13 or VersionTLS12`)
  if (cipherSuites.length > 0 && version === 'TLSv1.3')
    throw bad(
      'cipher suites can be chosen for TLS 1.2 only: leave them out, or set the version to VersionTLS12',
    )
  const ciphers = cipherSuites.map(name => {
    const found = lookUp(suites, name)
    if (found === undefined)
      throw bad(`"${name}" is no cipher suite that is offered: use some of ${Object.keys(suites).join(', ')}`)
    return found
  })
  const settings: TlsSettings = {
    minVersion: version,
    ...(ciphers.length === 0 ? {} : { ciphers: ciphers.join(':') }),
    ...(curvePreferences.length === 0
      ? {}
      : { ecdhCurve: curvePreferences.map(name => lookUp(curves, name) ?? name).join(':') }),
  }
  try {
    createSecureContext(settings)
  } catch (cause) {
    throw new CarillonError(
      'BAD_TLS_OPTION',
      `a curve of ${curvePreferences.join(', ')} is not one that this OpenSSL has: use some of X25519, CurveP256, CurveP384, CurveP521`,
      {},
      { cause },
    )
  }
  return settings
}
