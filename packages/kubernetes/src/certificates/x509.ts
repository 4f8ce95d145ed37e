import { Buffer } from 'node:buffer'
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'
import { parseAddress, tryParseAddress } from '@carillon/core'
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
} from './der.ts'

/** A certificate with its private key, both in PEM. */
export interface Certified {
  readonly certificate: string
  readonly key: string
}

/** From when until when a certificate is valid. */
export interface Validity {
  readonly from: Date
  readonly to: Date
}

/** What a serving certificate is to say. */
export interface LeafRequest extends Validity {
  readonly commonName: string
  /** Names and addresses that the server is reached by. */
  readonly hosts: readonly string[]
}

/** A signer: its name as certificates state it, and its key on the curve P-256. */
export interface Signer {
  readonly commonName: string
  readonly key: string
}

const ecdsaWithSha256 = sequence(identifier('1.2.840.10045.4.3.2'))

/** A new authority, which signs itself: ECDSA on P-256, laid out as RFC 5280 says. */
export function makeAuthority({
  commonName,
  ...validity
}: Validity & { readonly commonName: string }): Certified {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificate = certify({
    ...validity,
    subject: commonName,
    publicKey,
    issuer: commonName,
    issuerKey: privateKey,
    issuerKeyId: keyIdOf(publicKey),
    extensions: [
      // It signs no other authorities.
      extension('2.5.29.19', sequence(yes, integer(0)), true),
      // keyCertSign and cRLSign.
      extension('2.5.29.15', bitString(Buffer.from([0x06]), 1), true),
    ],
  })
  return { certificate, key: pemOf(privateKey) }
}

/** A certificate for a server, with a key made for it. */
export function issueLeaf(signer: Signer, { commonName, hosts, ...validity }: LeafRequest): Certified {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuerKey = createPrivateKey(signer.key)
  const certificate = certify({
    ...validity,
    subject: commonName,
    publicKey,
    issuer: signer.commonName,
    issuerKey,
    issuerKeyId: keyIdOf(createPublicKey(issuerKey)),
    extensions: [
      extension('2.5.29.19', sequence(), true),
      // digitalSignature.
      extension('2.5.29.15', bitString(Buffer.from([0x80]), 7), true),
      // serverAuth.
      extension('2.5.29.37', sequence(identifier('1.3.6.1.5.5.7.3.1'))),
      extension('2.5.29.17', sequence(...hosts.map(alternativeName))),
    ],
  })
  return { certificate, key: pemOf(privateKey) }
}

interface Content extends Validity {
  readonly subject: string
  readonly publicKey: KeyObject
  readonly issuer: string
  readonly issuerKey: KeyObject
  readonly issuerKeyId: Buffer
  readonly extensions: readonly Buffer[]
}

function certify(content: Content): string {
  const { from, to, subject, publicKey, issuer, issuerKey, issuerKeyId, extensions } = content
  const signed = sequence(
    explicit(0, integer(2)),
    positive(randomBytes(16)),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(time(from), time(to)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(
      3,
      sequence(
        ...extensions,
        extension('2.5.29.14', octets(keyIdOf(publicKey))),
        extension('2.5.29.35', sequence(implicit(0, issuerKeyId))),
      ),
    ),
  )
  const certificate = sequence(signed, ecdsaWithSha256, bitString(sign('sha256', signed, issuerKey)))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

const extension = (id: string, value: Buffer, critical = false): Buffer =>
  sequence(identifier(id), ...(critical ? [yes] : []), octets(value))

/** A name that is a common name alone. */
const nameOf = (commonName: string): Buffer =>
  sequence(set(sequence(identifier('2.5.4.3'), utf8(commonName))))

/** RFC 5280 section 4.2.1.2, method 1, over the whole key information: any hash that names the key will do. */
const keyIdOf = (key: KeyObject): Buffer =>
  createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()

/** A DNS name, or an IP address as its bytes (RFC 5280 section 4.2.1.6). */
const alternativeName = (host: string): Buffer =>
  tryParseAddress(host) === undefined
    ? implicit(2, Buffer.from(host, 'ascii'))
    : implicit(7, parseAddress(host))
