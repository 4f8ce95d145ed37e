import { randomUUID } from 'node:crypto'
import { CarillonError, formatEndpoint, systemClock } from '@carillon/core'
import type { codes } from '../../codes.ts'
import { WebhookAdmission } from '../admission/webhook-admission.ts'
import { Authenticator, serviceAccountUser } from '../auth/authenticator.ts'
import { Authorizer } from '../auth/authorizer.ts'
import { reviewRows } from '../auth/reviews.ts'
import { CertificateAuthority, type Certified } from '../certificate/authority.ts'
import { conversion } from '../custom/conversion.ts'
import { conversionWebhooks } from '../custom/conversion-webhook.ts'
import { builtinTypes } from '../kinds/builtin/types.ts'
import { TypeRegistry } from '../kinds/type-registry.ts'
import { admin, type User } from '../registry/call.ts'
import type { Machinery } from '../registry/machinery.ts'
import { AddressPool } from '../service/address-pool.ts'
import { ServiceAllocator } from '../service/allocator.ts'
import { PortPool } from '../service/port-pool.ts'
import { Store } from '../store/store.ts'
import type { Watcher } from '../watch/watcher.ts'
import { bySlices } from '../webhook/endpoint.ts'
import { WebhookCaller } from '../webhook/webhook-caller.ts'
import { bootstrap } from './bootstrap.ts'
import { control } from './controllers.ts'
import { RequestCounters } from './counters.ts'
import { Faults } from './faults.ts'
import { type Credentials, kubeconfig } from './kubeconfig.ts'
import { Listener } from './listener.ts'
import type { KubeApiServerOptions } from './options.ts'
import { RequestHandler } from './request-handler.ts'
import { ServerObjects } from './server-objects.ts'

/**
 * A Kubernetes API server for tests: it speaks HTTP as the real one does, keeps everything in memory, and fails when it is told to.
 * `await KubeApiServer.start()`; dispose of it with `await using`, or `stop()`.
 */
export class KubeApiServer implements AsyncDisposable {
  /** The requests that came in. */
  readonly requests: RequestCounters = new RequestCounters()
  /** What can go wrong. */
  readonly faults: Faults
  /** The objects, without HTTP in between; everything else is as for a client that may do all. */
  readonly store: ServerObjects
  /** Signs the certificates of the server and of its clients; only with the option `tls`. */
  readonly authority: CertificateAuthority | undefined
  readonly #machinery: Machinery
  readonly #authenticator: Authenticator
  readonly #watchers = new Set<Watcher>()
  readonly #webhooks: WebhookCaller
  readonly #host: string
  readonly #listener: Listener
  readonly #adminToken: string | undefined

  private constructor(options: KubeApiServerOptions) {
    const { clock = systemClock, host = '127.0.0.1', authorize = false, random = Math.random } = options
    const everybody = !authorize && options.authenticate !== true
    const store = new Store(options.history ?? 100_000)
    const authorizer = new Authorizer(store, !authorize)
    this.#host = host
    this.authority = options.tls === true ? new CertificateAuthority() : undefined
    this.#authenticator = new Authenticator({ everybody, nobody: authorize })
    this.#adminToken = everybody ? undefined : this.token(admin)
    this.#webhooks = new WebhookCaller(clock, options.services ?? bySlices(store))
    const admission = new WebhookAdmission(this.#webhooks)
    const uid = (): string => randomUUID()
    const questions = reviewRows(this.#authenticator, authorizer)
    this.#machinery = {
      store,
      types: new TypeRegistry(builtinTypes(clock, allocatorOf(options), questions)),
      clock,
      admission,
      conversion: conversion(conversionWebhooks(store, this.#webhooks, uid)),
      uid,
      random,
    }
    admission.machinery = this.#machinery
    this.store = new ServerObjects(this.#machinery)
    this.faults = new Faults({
      clock,
      watchers: this.#watchers,
      compact: () => store.compact(),
      close: () => this.#listener.close(),
      open: () => this.#listener.open(),
      forget: token => this.#authenticator.forget(token),
    })
    const handler = new RequestHandler({
      machinery: this.#machinery,
      authenticator: this.#authenticator,
      authorizer,
      counters: this.requests,
      faults: this.faults,
      watchers: this.#watchers,
    })
    this.#listener = new Listener(host, options.port ?? 0, this.authority, (request, response) => {
      void handler.answer(request, response)
    })
    control(this.#machinery, options.controllers ?? true, collection => {
      for (const watcher of [...this.#watchers])
        if (watcher.call.type.collection === collection) watcher.end()
    })
  }

  /** A server that listens. @throws CarillonError for options that cannot be worked with */
  static async start(options: KubeApiServerOptions = {}): Promise<KubeApiServer> {
    const server = new KubeApiServer(options)
    await server.#listener.open()
    await bootstrap(server.#machinery, server.#listener.port, options.authorize === true)
    return server
  }

  /** Where it listens: `http://127.0.0.1:34567`, or `https://` with the option `tls`. */
  get url(): string {
    const endpoint = formatEndpoint({ address: this.#host, port: this.#listener.port })
    return `${this.authority === undefined ? 'http' : 'https'}://${endpoint}`
  }

  /** A configuration for kubectl and other clients, as YAML; without credentials for somebody who may do everything. */
  kubeconfig(credentials?: Exclude<Credentials, undefined>): string {
    const own = this.#adminToken === undefined ? undefined : { token: this.#adminToken }
    return kubeconfig(this.url, this.authority?.certificate, credentials ?? own)
  }

  /** A new bearer token for a user. */
  token(user: User): string {
    return this.#authenticator.issue(user)
  }

  /** A new bearer token for a ServiceAccount, such as its pods have. */
  serviceAccountToken(namespace: string, name: string): string {
    return this.token(serviceAccountUser(namespace, name))
  }

  /** A new client certificate for a user. @throws CarillonError without the option `tls` */
  clientCertificate({ name, groups }: User): Certified {
    if (this.authority === undefined)
      throw new CarillonError(
        'BAD_TEST_SERVER' satisfies keyof typeof codes,
        'client certificates need TLS: start the server with { tls: true }',
        { option: 'tls' },
      )
    return this.authority.issue({ commonName: name, organizations: groups })
  }

  /** How many watches are open. */
  get watches(): number {
    return this.#watchers.size
  }

  /** The revision of the last write. */
  get revision(): number {
    return this.#machinery.store.revision
  }

  /** Ends every connection, and the server. */
  async stop(): Promise<void> {
    for (const watcher of [...this.#watchers]) watcher.drop()
    await this.#listener.close()
    this.#webhooks[Symbol.dispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/** @throws CarillonError */
function allocatorOf({
  serviceCidrs = ['10.96.0.0/16'],
  nodePorts = [30000, 32767],
}: KubeApiServerOptions): ServiceAllocator {
  const pools = serviceCidrs.map(cidr => new AddressPool(cidr))
  if (pools.length === 0 || new Set(pools.map(pool => pool.family)).size !== pools.length)
    throw new CarillonError(
      'BAD_TEST_SERVER' satisfies keyof typeof codes,
      'serviceCidrs: one CIDR is needed, or one of each family',
      { option: 'serviceCidrs' },
    )
  return new ServiceAllocator(pools, new PortPool(...nodePorts))
}
