import { Buffer } from 'node:buffer'
import type { BGPPeer, Secret } from '../resources/index.ts'
import type { Spot } from './spot.ts'

/** What the kernel takes as a TCP-MD5 key (TCP_MD5SIG_MAXKEYLEN). */
const maxKeyBytes = 80

const secretType = 'kubernetes.io/basic-auth'

/**
 * Finds a peer's Secret by name: `spec.passwordSecret.namespace` is not looked at, as in MetalLB. The one in the peer's own
 * namespace is meant; where manifests leave namespaces open, any single one of that name.
 */
function findSecret(secrets: readonly Secret[], name: string, namespace: string): readonly Secret[] {
  const own = secrets.filter(secret => secret.metadata.namespace === namespace)
  return own.length > 0 ? own.slice(0, 1) : secrets.filter(secret => secret.metadata.name === name)
}

/** Finds Secrets by name, and remembers which were looked up. */
export class Secrets {
  readonly #byName = new Map<string, Secret[]>()
  readonly #asked = new Set<string>()

  constructor(secrets: readonly Secret[]) {
    for (const secret of secrets) {
      const same = this.#byName.get(secret.metadata.name)
      if (same) same.push(secret)
      else this.#byName.set(secret.metadata.name, [secret])
    }
  }

  /** The one that is meant; several when that cannot be told. */
  find(name: string, namespace: string): readonly Secret[] {
    this.#asked.add(name)
    return findSecret(this.#byName.get(name) ?? [], name, namespace)
  }

  /** True when `later` holds the very same objects under every name that was asked for. */
  sameAnswers(later: Secrets): boolean {
    for (const name of this.#asked) {
      const one = this.#byName.get(name) ?? []
      const other = later.#byName.get(name) ?? []
      if (one.length !== other.length || !one.every((secret, i) => secret === other[i])) return false
    }
    return true
  }
}

function readSecret(secret: Secret, at: string, spot: Spot): string | undefined {
  if (secret.type !== secretType) {
    spot.error(`Secret "${at}" is of type "${secret.type}": it must be of type ${secretType}`)
    return undefined
  }
  const encoded = Object.hasOwn(secret.data, 'password') ? secret.data.password : undefined
  if (encoded === undefined) {
    spot.error(`Secret "${at}" has no key "password": put the TCP-MD5 key there`)
    return undefined
  }
  const bytes = Buffer.from(encoded, 'base64')
  const stripped = encoded.replace(/[\s=]/g, '')
  if (bytes.toString('base64').replace(/=/g, '') !== stripped) {
    spot.error(`the password in Secret "${at}" is not valid base64`)
    return undefined
  }
  if (bytes.length === 0) {
    spot.error(
      `the password in Secret "${at}" is empty: set it, or remove passwordSecret for a session without one`,
    )
    return undefined
  }
  const text = bytes.toString('utf8')
  if (!Buffer.from(text, 'utf8').equals(bytes)) {
    spot.error(`the password in Secret "${at}" is not UTF-8 text`)
    return undefined
  }
  return text
}

/** Where the password of a peer may come from. */
export interface PasswordSources {
  readonly secrets: Secrets
  /** By name of the peer: passwords that are given beside the resources. */
  readonly passwords: ReadonlyMap<string, string>
  /** True for a Secret that exists and could not be read. */
  isUnreadable(kind: 'Secret', name: string): boolean
}

/** The TCP-MD5 key of a peer, if it has one. No message shows it. */
export function resolvePassword(
  { metadata, spec }: BGPPeer,
  { secrets, passwords, isUnreadable }: PasswordSources,
  spot: Spot,
): string | undefined {
  const name = spec.passwordSecret?.name
  const at = spot.at('passwordSecret').at('name')
  const given = passwords.get(metadata.name)
  if (given !== undefined) {
    const twice = spec.password ? spot.at('password') : name ? at : undefined
    twice?.error('the password of this peer is given as a file, too: keep one of the two')
    return checkLength(given, spot.at('password'))
  }
  if (!name) return spec.password ? checkLength(spec.password, spot.at('password')) : undefined
  if (spec.password) {
    spot.at('password').error('password and passwordSecret exclude each other: keep the Secret')
  }
  const found = secrets.find(name, metadata.namespace ?? 'default')
  const [secret] = found
  if (!secret) {
    if (!isUnreadable('Secret', name)) {
      at.error(`there is no Secret "${name}": create it with type ${secretType} and key "password"`)
    }
    return undefined
  }
  if (found.length > 1) {
    const namespaces = found.map(one => one.metadata.namespace).sort()
    at.error(
      `there are Secrets "${name}" in the namespaces ${namespaces.join(', ')}: keep one, or put the one that is meant where the BGPPeer is`,
    )
    return undefined
  }
  const password = readSecret(secret, name, at)
  return password === undefined ? undefined : checkLength(password, at)
}

function checkLength(password: string, spot: Spot): string {
  if (Buffer.byteLength(password) > maxKeyBytes) {
    spot.error(`the password is longer than ${maxKeyBytes} bytes, which is what TCP-MD5 can take: shorten it`)
  }
  return password
}
