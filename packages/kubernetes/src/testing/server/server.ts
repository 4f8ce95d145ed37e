import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Clock, formatEndpoint, systemClock } from '@carillon/core'
import { stringify } from 'yaml'
import { internalError, notServed, Refusal } from '../api/status.ts'
import { Emptier } from '../controllers/emptier.ts'
import { GarbageCollector } from '../controllers/garbage.ts'
import { conversion } from '../custom/conversion.ts'
import type { Definition } from '../custom/definition.ts'
import { typesOf } from '../custom/types-of.ts'
import { group, groups, resources, version, versions } from '../http/discovery.ts'
import { send, sendStatus, sendText } from '../http/reply.ts'
import { handleResource, resourceRequest } from '../http/resource-handler.ts'
import { route } from '../http/route.ts'
import type { ApiType } from '../kinds/api-type.ts'
import { builtinTypes } from '../kinds/builtin/types.ts'
import { TypeRegistry } from '../kinds/type-registry.ts'
import { documentsV3, documentV3 } from '../openapi/document-v3.ts'
import { sendOpenApiV2 } from '../openapi/send-v2.ts'
import { admin } from '../registry/call.ts'
import type { Machinery } from '../registry/machinery.ts'
import { AddressPool } from '../service/address-pool.ts'
import { ServiceAllocator } from '../service/allocator.ts'
import { PortPool } from '../service/port-pool.ts'
import type { Change } from '../store/change.ts'
import { Store } from '../store/store.ts'
import type { Watcher } from '../watch/watcher.ts'
import { bootstrap } from './bootstrap.ts'
import { RequestCounters } from './counters.ts'
import { Faults } from './faults.ts'
import type { KubeApiServerOptions } from './options.ts'
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
  readonly #machinery: Machinery
  readonly #watchers = new Set<Watcher>()
  readonly #clock: Clock
  readonly #host: string
  #port: number
  #http: Server | undefined

  private constructor(options: KubeApiServerOptions) {
    const { serviceCidrs = ['10.96.0.0/16'], nodePorts = [30000, 32767] } = options
    this.#clock = options.clock ?? systemClock
    this.#host = options.host ?? '127.0.0.1'
    this.#port = options.port ?? 0
    const allocator = new ServiceAllocator(
      serviceCidrs.map(cidr => new AddressPool(cidr)),
      new PortPool(...nodePorts),
    )
    const store = new Store(options.history ?? 100_000)
    const types = new TypeRegistry(builtinTypes(this.#clock, allocator))
    this.#machinery = {
      store,
      types,
      clock: this.#clock,
      admission: {
        mutate: async (_call, _operation, object) => object,
        validate: async () => {},
      },
      conversion: conversion(() => undefined),
      uid: () => randomUUID(),
      random: options.random ?? Math.random,
    }
    this.store = new ServerObjects(this.#machinery)
    this.faults = new Faults({
      clock: this.#clock,
      watchers: this.#watchers,
      compact: () => store.compact(),
      close: () => this.#close(),
      open: () => this.#open(),
      forget: () => {},
    })
    this.#control(options.controllers ?? true)
  }

  /** A server that listens. @throws CarillonError for options that cannot be worked with */
  static async start(options: KubeApiServerOptions = {}): Promise<KubeApiServer> {
    const server = new KubeApiServer(options)
    await server.#open()
    await bootstrap(server.#machinery, server.#port)
    return server
  }

  /** Where it listens: `http://127.0.0.1:34567`. */
  get url(): string {
    return `http://${formatEndpoint({ address: this.#host, port: this.#port })}`
  }

  /** A configuration for kubectl and other clients, as YAML. */
  kubeconfig(): string {
    return stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server: this.url, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'test', user: {} }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    })
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
    await this.#close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** Follows definitions of custom resources, and does what controllers do. */
  #control(controllers: boolean): void {
    const { store, types } = this.#machinery
    const garbage = new GarbageCollector(this.#machinery)
    const emptier = new Emptier(this.#machinery, controllers)
    const followed = new Set<string>()
    const follow = (type: ApiType): void => {
      if (type.stored !== undefined || followed.has(type.collection)) return
      followed.add(type.collection)
      store.collection(type.collection).subscribe(change => {
        // The definition may have changed since.
        const current = types.find(type.group, type.version, type.plural) ?? type
        if (controllers) garbage.changed(current, change)
        if (change.type === 'DELETED' || change.current.object.metadata.deletionTimestamp !== undefined)
          emptier.changed()
      })
    }
    for (const type of types.all()) follow(type)
    store.collection('customresourcedefinitions.apiextensions.k8s.io').subscribe((change: Change) => {
      const definition = change.current.object as Definition
      const name = definition.metadata.name as string
      if (change.type === 'DELETED') return types.undefine(name)
      const defined = typesOf(definition)
      types.define(name, defined)
      for (const type of defined) follow(type.stored ?? type)
    })
  }

  async #open(): Promise<void> {
    if (this.#http !== undefined) return
    const http = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      void this.#answer(request, response)
    })
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject)
      http.listen(this.#port, this.#host, () => {
        http.off('error', reject)
        resolve()
      })
    })
    this.#http = http
    this.#port = (http.address() as AddressInfo).port
  }

  async #close(): Promise<void> {
    const http = this.#http
    if (http === undefined) return
    this.#http = undefined
    await new Promise<void>(resolve => {
      http.close(() => resolve())
      http.closeAllConnections()
    })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#handle(request, response)
    } catch (error) {
      if (response.destroyed) return
      const refusal =
        error instanceof Refusal ? error : internalError((error as Error).stack ?? String(error))
      sendStatus(response, refusal.status)
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const found = route(url.pathname)
    const { types } = this.#machinery
    if (found.to === 'resource') {
      const asked = resourceRequest(this.#machinery, found, url.searchParams, request, response, admin)
      const { type, subresource } = asked.call
      const resource = `${type.plural}${subresource === '' ? '' : `/${subresource}`}${type.group === '' ? '' : `.${type.group}`}`
      this.requests.add(asked.verb, resource)
      await this.faults.meet(asked.verb, resource)
      return handleResource(this.#machinery, asked, watcher => this.#watching(watcher))
    }
    await this.faults.meet(undefined, url.pathname)
    switch (found.to) {
      case 'versions':
        return send(response, 200, versions(formatEndpoint({ address: this.#host, port: this.#port })))
      case 'groups':
        return send(response, 200, groups(types))
      case 'group':
        return send(response, 200, group(types, found.group))
      case 'resources':
        return send(response, 200, resources(types, found.group, found.version))
      case 'other':
        return this.#other(found.path, request, response)
    }
  }

  #other(path: string, request: IncomingMessage, response: ServerResponse): void {
    const all = this.#machinery.types.all()
    if (path === '/version') send(response, 200, version())
    else if (['/healthz', '/livez', '/readyz'].includes(path)) sendText(response, 200, 'ok')
    else if (path === '/openapi/v2') sendOpenApiV2(response, all, request.headers.accept ?? '')
    else if (path === '/openapi/v3') send(response, 200, documentsV3(all))
    else if (path.startsWith('/openapi/v3/'))
      send(response, 200, documentV3(all, path.slice('/openapi/v3/'.length)))
    else throw notServed()
  }

  #watching(watcher: Watcher): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }
}
