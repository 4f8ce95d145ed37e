import { Buffer } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { CarillonError, type Clock } from '@carillon/core'
import type { Cluster, Context, User } from '@kubernetes/client-node/dist/config_types.js'
import { sharedAccess } from './access.ts'
import type { Access, Credentials, TlsMaterial } from './credentials.ts'
import { readCredential, rereadMs } from './in-cluster.ts'
import { Remembered } from './remembered.ts'

/** Which kubeconfig, and what of it. */
export interface KubeconfigOptions {
  readonly clock: Clock
  /** Paths, the first winning where two define one name; as in `KUBECONFIG`, joined by `:`. */
  readonly path: string
  /** @default its `current-context` */
  readonly context?: string
}

/** A user, with the field that client-node looks for under another name. */
type Account = User & { readonly tokenFile?: string }

interface Kubeconfig {
  readonly clusters: readonly Cluster[]
  readonly contexts: readonly Context[]
  readonly users: readonly Account[]
  readonly current: string | undefined
}

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const bad = (path: string, why: string, cause?: unknown): CarillonError =>
  new CarillonError('BAD_KUBECONFIG', `kubeconfig ${path}: ${why}`, { path }, { cause })

const textOf = (fields: Fields, key: string): string | undefined =>
  typeof fields[key] === 'string' && fields[key] !== '' ? fields[key] : undefined

/** Users by name as the file has them. */
function rawUsers(list: unknown): ReadonlyMap<unknown, Fields> {
  const entries = Array.isArray(list) ? list.filter(isFields) : []
  return new Map(entries.map(entry => [entry.name, isFields(entry.user) ? entry.user : {}]))
}

/** Loads one file. client-node knows its fields; loading that whole package for it would cost 70 MB. */
async function load(path: string): Promise<Kubeconfig> {
  const [{ newClusters, newContexts, newUsers }, { parse }] = await Promise.all([
    import('@kubernetes/client-node/dist/config_types.js'),
    import('yaml'),
  ])
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    const errno = (cause as NodeJS.ErrnoException).code
    throw bad(path, errno === 'ENOENT' ? 'there is no such file' : `cannot be read: ${errno}`, cause)
  }
  const near = (file: string): string => (isAbsolute(file) ? file : join(dirname(path), file))
  try {
    const config: unknown = parse(text)
    if (!isFields(config)) throw new Error('it is empty')
    const raw = rawUsers(config.users)
    const users = newUsers(config.users).map((user): Account => {
      const tokenFile = textOf(raw.get(user.name) ?? {}, 'tokenFile')
      return {
        ...user,
        ...(user.certFile ? { certFile: near(user.certFile) } : {}),
        ...(user.keyFile ? { keyFile: near(user.keyFile) } : {}),
        ...(tokenFile === undefined ? {} : { tokenFile: near(tokenFile) }),
      }
    })
    const clusters = newClusters(config.clusters).map(cluster =>
      cluster.caFile ? { ...cluster, caFile: near(cluster.caFile) } : cluster,
    )
    return {
      clusters,
      contexts: newContexts(config.contexts),
      users,
      current: textOf(config, 'current-context'),
    }
  } catch (cause) {
    throw bad(path, cause instanceof Error ? cause.message : String(cause), cause)
  }
}

interface Chosen {
  readonly cluster: Cluster
  readonly user: Account | undefined
  readonly namespace: string | undefined
}

function choose(path: string, files: readonly Kubeconfig[], wanted: string | undefined): Chosen {
  const named = <T extends { readonly name: string }>(
    kind: string,
    lists: readonly (readonly T[])[],
    name: string,
  ): T => {
    const found = lists.flat().find(one => one.name === name)
    if (!found) throw bad(path, `there is no ${kind} "${name}"`)
    return found
  }
  const current = wanted ?? files.find(file => file.current !== undefined)?.current
  if (current === undefined) throw bad(path, 'it has no current-context: name a context')
  const context = named(
    'context',
    files.map(file => file.contexts),
    current,
  )
  const cluster = named(
    'cluster',
    files.map(file => file.clusters),
    context.cluster,
  )
  const user = context.user
    ? named(
        'user',
        files.map(file => file.users),
        context.user,
      )
    : undefined
  return { cluster, user, namespace: context.namespace }
}

const fromBase64 = (data: string | undefined): string | undefined =>
  data ? Buffer.from(data, 'base64').toString() : undefined

async function fileOrData(file: string | undefined, data: string | undefined): Promise<string | undefined> {
  return file ? readCredential(file) : fromBase64(data)
}

/** What client-node's authenticators fill in. */
type Authenticated = RequestOptions & { headers: Record<string, string> }

interface Authenticator {
  applyAuthentication(user: User, options: Authenticated): Promise<void>
}

/** Makes the authenticator of a user who needs one: a program that is run, or OpenID Connect. It remembers what it got. */
async function authenticatorOf(
  path: string,
  user: Account | undefined,
): Promise<(() => Authenticator) | undefined> {
  const provider: unknown = user?.authProvider?.name
  if (user?.exec) {
    const { ExecAuth } = await import('@kubernetes/client-node/dist/exec_auth.js')
    return () => new ExecAuth()
  }
  if (provider === 'oidc') {
    const { OpenIDConnectAuth } = await import('@kubernetes/client-node/dist/oidc_auth.js')
    return () => new OpenIDConnectAuth()
  }
  if (provider !== undefined)
    throw bad(
      path,
      `auth-provider "${provider}" of user "${user?.name}" is not supported: use an exec plugin`,
    )
  return undefined
}

/** What an exec plugin is told of the cluster; kubectl gives it, and plugins insist on it. */
function withExecInfo(user: User, cluster: Cluster): User {
  const apiVersion: unknown = user.exec?.apiVersion
  if (typeof apiVersion !== 'string') return user
  const info = {
    apiVersion,
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      ...(user.exec.provideClusterInfo === true
        ? {
            cluster: {
              server: cluster.server,
              'certificate-authority-data': cluster.caData,
              'tls-server-name': cluster.tlsServerName,
              'insecure-skip-tls-verify': cluster.skipTLSVerify,
            },
          }
        : {}),
    },
  }
  const env: readonly unknown[] = Array.isArray(user.exec.env) ? user.exec.env : []
  const told = { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }
  return { ...user, exec: { ...user.exec, env: [...env, told] } }
}

const basic = ({ username, password }: User): string =>
  `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`

async function headersOf(user: Account): Promise<Record<string, string>> {
  const headers: Record<string, string> = {}
  if (user.tokenFile !== undefined)
    headers.authorization = `Bearer ${(await readCredential(user.tokenFile)).trim()}`
  else if (user.token) headers.authorization = `Bearer ${user.token.trim()}`
  else if (user.username) headers.authorization = basic(user)
  if (user.impersonateUser) headers['impersonate-user'] = user.impersonateUser
  return headers
}

/** Asks the authenticator. What it says of a failure may hold secrets of the plugin's own making, so only its first line is passed on. */
async function authenticate(
  authenticator: Authenticator,
  user: User,
): Promise<{ readonly headers: Record<string, string>; readonly tls: TlsMaterial }> {
  const options: Authenticated = { headers: {} }
  try {
    await authenticator.applyAuthentication(user, options)
  } catch (cause) {
    const [said] = (cause instanceof Error ? cause.message : String(cause)).trim().split('\n')
    const command: unknown = user.exec?.command
    throw new CarillonError(
      'CREDENTIALS_UNAVAILABLE',
      `user "${user.name}" of the kubeconfig cannot be authenticated${typeof command === 'string' ? ` by ${command}` : ''}: ${said}`,
      { user: user.name },
      { cause },
    )
  }
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(options.headers)) headers[name.toLowerCase()] = String(value)
  const { cert, key } = options
  return {
    headers,
    tls: {
      ...(typeof cert === 'string' ? { cert } : {}),
      ...(typeof key === 'string' ? { key } : {}),
    },
  }
}

/**
 * The credentials of a kubeconfig: certificates and tokens, given or in files that are read again, exec plugins, OpenID Connect. Rejects
 * with `BAD_KUBECONFIG`.
 */
export async function kubeconfig({ clock, path, context }: KubeconfigOptions): Promise<Credentials> {
  const paths = path.split(delimiter).filter(one => one !== '')
  const { cluster, user, namespace } = choose(path, await Promise.all(paths.map(load)), context)
  if (cluster.proxyUrl)
    throw bad(
      path,
      `proxy-url of cluster "${cluster.name}" is not supported: give connect() a KubeConfig of your own`,
    )
  const makeAuthenticator = await authenticatorOf(path, user)
  let authenticator = makeAuthenticator?.()
  const read = async (before: Access | undefined): Promise<Access> => {
    const ca = await fileOrData(cluster.caFile, cluster.caData)
    const cert = await fileOrData(user?.certFile, user?.certData)
    const key = await fileOrData(user?.keyFile, user?.keyData)
    const given = authenticator && user && (await authenticate(authenticator, withExecInfo(user, cluster)))
    const tls: TlsMaterial = {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(cluster.tlsServerName ? { servername: cluster.tlsServerName } : {}),
      ...(cluster.skipTLSVerify ? { rejectUnauthorized: false } : {}),
      ...given?.tls,
    }
    return sharedAccess(before, { headers: { ...(user && (await headersOf(user))), ...given?.headers }, tls })
  }
  const access = new Remembered(read, clock, rereadMs)
  await access.get()
  return {
    server: cluster.server,
    ...(namespace === undefined ? {} : { namespace }),
    access: () => access.get(),
    renew() {
      access.forget()
      authenticator = makeAuthenticator?.()
    },
  }
}
