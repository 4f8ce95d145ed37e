import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'

/** The files of a Secret of certificates, by MetalLB's names; of `ca.key.next` MetalLB knows nothing. */
export const certificateFiles = ['ca.crt', 'ca.key', 'ca.key.next', 'tls.crt', 'tls.key'] as const

/** Name of one of those files. */
export type CertificateFile = (typeof certificateFiles)[number]

/** What a Secret holds: PEM, by file. */
export type CertificateTexts = { readonly [File in CertificateFile]?: string }

/** A certificate, read. */
export interface ReadCertificate {
  readonly pem: string
  readonly x509: X509Certificate
  readonly from: Date
  readonly to: Date
}

const pemBlock = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** The certificates in a text, in its order; what is none is left out. */
export function readCertificates(text = ''): readonly ReadCertificate[] {
  return (text.match(pemBlock) ?? []).flatMap(pem => {
    try {
      const x509 = new X509Certificate(pem)
      const [from, to] = [new Date(x509.validFrom), new Date(x509.validTo)]
      return [{ pem: `${pem}\n`, x509, from, to }]
    } catch {
      return []
    }
  })
}

/** A private key; undefined when the text holds none. */
export function readKey(text = ''): KeyObject | undefined {
  try {
    return createPrivateKey(text)
  } catch {
    return undefined
  }
}

/** Whether a certificate names a host or an address. */
export const names = ({ x509 }: ReadCertificate, host: string): boolean =>
  (isIP(host) === 0 ? x509.checkHost(host, { subject: 'never' }) : x509.checkIP(host)) !== undefined

/** Whether one certificate was signed by the key of another. */
export const isSignedBy = (one: ReadCertificate, authority: ReadCertificate): boolean =>
  one.x509.checkIssued(authority.x509) && one.x509.verify(authority.x509.publicKey)
