import { Buffer } from 'node:buffer'
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { parseAddress } from '@carillon/core'
import {
  bitString,
  explicit,
  identifier,
  implicit,
  integer,
  octets,
  positive,
  sequence,
  set,
  time,
  utf8,
  yes,
} from '../../certificates/der.ts'

/** A certificate with its key, both in PEM. */
export interface Certified {
  readonly certificate: string
  readonly key: string
}

/** Whom a certificate is for. */
export interface CertificateRequest {
  /** Of a client, this is its user name. */
  readonly commonName: string
  /** Of a client, these are its groups. */
  readonly organizations?: readonly string[]
  /** The names and addresses that a server is reached by. */
  readonly hosts?: readonly string[]
  /**
   * How long it is valid.
   * @default 1
   */
  readonly days?: number
}

const ecdsaWithSha256 = sequence(identifier('1.2.840.10045.4.3.2'))
const dayMs = 24 * 60 * 60 * 1000

/** An authority for tests that signs certificates: ECDSA on P-256, as RFC 5280 lays them out. */
export class CertificateAuthority {
  /** The authority's own certificate, in PEM: what clients have to trust. */
  readonly certificate: string
  readonly #name: Buffer
  readonly #keyId: Buffer
  readonly #privateKey: KeyObject
  readonly #now: () => Date

  /** `now` says when certificates begin to be valid, which is an hour before. */
  constructor(commonName = 'carillon-testing', now: () => Date = () => new Date()) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.#name = nameOf(commonName, [])
    this.#keyId = keyIdOf(publicKey)
    this.#privateKey = privateKey
    this.#now = now
    this.certificate = this.#sign(publicKey, this.#name, 3650, [
      extension('2.5.29.19', sequence(yes), true),
      // keyCertSign and cRLSign.
      extension('2.5.29.15', bitString(Buffer.from([0x06]), 1), true),
    ])
  }

  /** A certificate for a server or a client, with a key made for it. */
  issue({ commonName, organizations = [], hosts = [], days = 1 }: CertificateRequest): Certified {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const certificate = this.#sign(publicKey, nameOf(commonName, organizations), days, [
      extension('2.5.29.19', sequence(), true),
      // digitalSignature.
      extension('2.5.29.15', bitString(Buffer.from([0x80]), 7), true),
      // serverAuth and clientAuth.
      extension('2.5.29.37', sequence(identifier('1.3.6.1.5.5.7.3.1'), identifier('1.3.6.1.5.5.7.3.2'))),
      ...(hosts.length === 0 ? [] : [extension('2.5.29.17', sequence(...hosts.map(alternativeName)))]),
    ])
    return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
  }

  #sign(publicKey: KeyObject, subject: Buffer, days: number, extensions: readonly Buffer[]): string {
    const now = this.#now().getTime()
    const content = sequence(
      explicit(0, integer(2)),
      positive(randomBytes(16)),
      ecdsaWithSha256,
      this.#name,
      sequence(time(new Date(now - 60 * 60 * 1000)), time(new Date(now + days * dayMs))),
      subject,
      publicKey.export({ type: 'spki', format: 'der' }),
      explicit(
        3,
        sequence(
          ...extensions,
          extension('2.5.29.14', octets(keyIdOf(publicKey))),
          extension('2.5.29.35', sequence(implicit(0, this.#keyId))),
        ),
      ),
    )
    const signature = sign('sha256', content, this.#privateKey)
    return pem(sequence(content, ecdsaWithSha256, bitString(signature)))
  }
}

const extension = (id: string, value: Buffer, critical = false): Buffer =>
  sequence(identifier(id), ...(critical ? [yes] : []), octets(value))

const attribute = (id: string, value: string): Buffer => set(sequence(identifier(id), utf8(value)))

const nameOf = (commonName: string, organizations: readonly string[]): Buffer =>
  sequence(...organizations.map(one => attribute('2.5.4.10', one)), attribute('2.5.4.3', commonName))

/** RFC 5280 section 4.2.1.2, method 1, over the whole key information: any hash that names the key will do. */
const keyIdOf = (key: KeyObject): Buffer =>
  createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()

/** A DNS name, or an IP address as its bytes (RFC 5280 section 4.2.1.6). */
const alternativeName = (host: string): Buffer =>
  /^[\d.]+$|:/.test(host) ? implicit(7, parseAddress(host)) : implicit(2, Buffer.from(host, 'ascii'))

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
