import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import { unauthorized } from '../api/status.ts'
import { admin, type User } from '../registry/call.ts'

/** Who nobody is. */
const anonymous: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
const authenticated = 'system:authenticated'

/** Finds out who is asking: by bearer token or client certificate. */
export class Authenticator {
  readonly #tokens = new Map<string, User>()
  readonly #everybody: boolean
  readonly #nobody: boolean

  /** `everybody`: do not ask, everybody may do everything. `nobody`: who shows nothing is let in as `system:anonymous`. */
  constructor({ everybody, nobody }: { readonly everybody: boolean; readonly nobody: boolean }) {
    this.#everybody = everybody
    this.#nobody = nobody
  }

  /** A new token for a user. */
  issue(user: User): string {
    const token = randomBytes(24).toString('base64url')
    this.#tokens.set(token, user)
    return token
  }

  /** Does not know a token any more. */
  forget(token: string): void {
    this.#tokens.delete(token)
  }

  /** Whose token it is; nothing when it is not known. */
  ofToken(token: string): User | undefined {
    const user = this.#tokens.get(token)
    return user && { ...user, groups: [...new Set([...user.groups, authenticated])] }
  }

  /** @throws Refusal 401 */
  userOf(request: IncomingMessage): User {
    if (this.#everybody) return admin
    const bearer = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (bearer !== undefined) {
      const user = this.ofToken(bearer.trim())
      if (user === undefined) throw unauthorized()
      return user
    }
    const certified = ofCertificate(request.socket as Partial<TLSSocket>)
    if (certified !== undefined) return certified
    if (!this.#nobody) throw unauthorized()
    return anonymous
  }
}

/** A client certificate names its user as CN and the groups as O. */
function ofCertificate(socket: Partial<TLSSocket>): User | undefined {
  if (socket.authorized !== true) return undefined
  const { subject } = (socket.getPeerCertificate?.() ?? {}) as Partial<PeerCertificate>
  const { CN: name, O: groups } = (subject ?? {}) as {
    readonly CN?: string
    readonly O?: string | readonly string[]
  }
  if (name === undefined || name === '') return undefined
  const all = groups === undefined ? [] : typeof groups === 'string' ? [groups] : groups
  return { name, groups: [...all, authenticated] }
}

/** The user that the pods of a ServiceAccount are. */
export const serviceAccountUser = (namespace: string, name: string, uid?: string): User => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  ...(uid === undefined ? {} : { uid }),
})
