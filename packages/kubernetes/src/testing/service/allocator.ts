import { isIP } from 'node:net'
import { invalidValue } from '../api/field-error.ts'
import { internalError, invalid } from '../api/status.ts'
import type { Taken } from '../kinds/strategy.ts'
import type { AddressPool } from './address-pool.ts'
import { settleFamilies } from './families.ts'
import type { PortPool } from './port-pool.ts'
import {
  type Family,
  isHeadless,
  needsClusterIP,
  needsHealthCheck,
  needsNodePorts,
  type Service,
} from './service.ts'

/** Gives Services their cluster addresses and node ports. */
export class ServiceAllocator {
  readonly #pools: ReadonlyMap<Family, AddressPool>
  readonly #ports: PortPool

  /** `pools`: of one family, or of two, the preferred one first. */
  constructor(pools: readonly AddressPool[], ports: PortPool) {
    this.#pools = new Map(pools.map(pool => [pool.family, pool]))
    this.#ports = ports
  }

  /** Completes a Service in place. What it no longer needs is given back when it is stored. @throws Refusal */
  take(service: Service, old: Service | undefined, dryRun: boolean): Taken {
    const undo: (() => void)[] = []
    const revert = (): void => {
      for (const run of undo.splice(0).reverse()) run()
    }
    try {
      if (old !== undefined) inherit(service, old)
      const errors = settleFamilies(service, old, [...this.#pools.keys()])
      if (errors.length > 0)
        throw invalid({ group: '', name: 'Service' }, service.metadata.name ?? '', errors)
      this.#addresses(service, old, undo)
      this.#nodePorts(service, old, undo)
      this.#healthCheck(service, old, undo)
    } catch (error) {
      revert()
      throw error
    }
    return {
      revert,
      commit: () => {
        undo.length = 0
        if (!dryRun && old !== undefined) this.#free(old, service)
      },
    }
  }

  /** Gives back all that a deleted Service had. */
  release(service: Service): void {
    this.#free(service, undefined)
  }

  #refuse(service: Service, field: string, value: unknown, detail: string): never {
    throw invalid({ group: '', name: 'Service' }, service.metadata.name ?? '', [
      invalidValue(field, value, detail),
    ])
  }

  #addresses(service: Service, old: Service | undefined, undo: (() => void)[]): void {
    const { spec } = service
    if (!needsClusterIP(spec)) {
      delete spec.clusterIP
      delete spec.clusterIPs
      delete spec.ipFamilies
      delete spec.ipFamilyPolicy
      return
    }
    if (isHeadless(spec)) return
    const addresses = [...(spec.clusterIPs ?? [])]
    const held = old !== undefined && !isHeadless(old.spec) ? (old.spec.clusterIPs ?? []) : []
    ;(spec.ipFamilies ?? []).forEach((family, index) => {
      const pool = this.#pools.get(family) as AddressPool
      const wanted = addresses[index]
      // What is no address is for the validation to refuse.
      if (wanted !== undefined && (held.includes(wanted) || isIP(wanted) === 0)) return
      if (wanted !== undefined) {
        const problem = pool.take(wanted)
        if (problem !== undefined)
          this.#refuse(service, 'spec.clusterIPs', addresses, `failed to allocate IP ${wanted}: ${problem}`)
      } else {
        const found = pool.next()
        if (found === undefined) throw internalError('failed to allocate a serviceIP: range is full')
        addresses[index] = found
      }
      const taken = addresses[index] as string
      undo.push(() => pool.free(taken))
    })
    spec.clusterIPs = addresses
    spec.clusterIP = addresses[0] as string
  }

  #nodePorts({ spec, metadata }: Service, old: Service | undefined, undo: (() => void)[]): void {
    const held = new Set(
      (old?.spec.ports ?? []).filter(port => port.nodePort).map(port => `${port.protocol}/${port.nodePort}`),
    )
    const given = new Map<number, number>()
    for (const [index, port] of (spec.ports ?? []).entries()) {
      const protocol = port.protocol ?? 'TCP'
      if (port.nodePort !== undefined) {
        const key = `${protocol}/${port.nodePort}`
        if (held.has(key) || spec.type === 'ClusterIP' || spec.type === 'ExternalName') continue
        const problem = this.#ports.take(protocol, port.nodePort)
        if (problem !== undefined)
          this.#refuse({ spec, metadata } as Service, `spec.ports[${index}].nodePort`, port.nodePort, problem)
        const { nodePort } = port
        undo.push(() => this.#ports.free(protocol, nodePort))
        held.add(key)
      } else if (needsNodePorts(spec)) {
        // One number serves the same port of another protocol.
        const same = given.get(port.port)
        const nodePort =
          same !== undefined && this.#ports.take(protocol, same) === undefined
            ? same
            : this.#ports.next([protocol])
        if (nodePort === undefined) throw internalError('failed to allocate a nodePort: range is full')
        port.nodePort = nodePort
        given.set(port.port, nodePort)
        undo.push(() => this.#ports.free(protocol, nodePort))
      }
    }
  }

  #healthCheck({ spec, metadata }: Service, old: Service | undefined, undo: (() => void)[]): void {
    if (!needsHealthCheck(spec)) return
    const held = old?.spec.healthCheckNodePort
    if (spec.healthCheckNodePort !== undefined && spec.healthCheckNodePort !== 0) {
      if (spec.healthCheckNodePort === held) return
      if (held !== undefined && old !== undefined && needsHealthCheck(old.spec))
        this.#refuse(
          { spec, metadata } as Service,
          'spec.healthCheckNodePort',
          spec.healthCheckNodePort,
          'field is immutable',
        )
      const problem = this.#ports.take('TCP', spec.healthCheckNodePort)
      if (problem !== undefined)
        this.#refuse(
          { spec, metadata } as Service,
          'spec.healthCheckNodePort',
          spec.healthCheckNodePort,
          problem,
        )
    } else {
      const port = this.#ports.next(['TCP'])
      if (port === undefined) throw internalError('failed to allocate a health check port: range is full')
      spec.healthCheckNodePort = port
    }
    const taken = spec.healthCheckNodePort
    undo.push(() => this.#ports.free('TCP', taken))
  }

  /** Gives back what a Service had and `kept` does not have. */
  #free({ spec }: Service, kept: Service | undefined): void {
    for (const address of isHeadless(spec) ? [] : (spec.clusterIPs ?? []))
      if (!kept?.spec.clusterIPs?.includes(address))
        this.#pools.get(address.includes(':') ? 'IPv6' : 'IPv4')?.free(address)
    const ports = new Set((kept?.spec.ports ?? []).map(port => `${port.protocol}/${port.nodePort}`))
    for (const { protocol = 'TCP', nodePort } of spec.ports ?? [])
      if (nodePort !== undefined && !ports.has(`${protocol}/${nodePort}`))
        this.#ports.free(protocol, nodePort)
    const { healthCheckNodePort } = spec
    if (healthCheckNodePort !== undefined && kept?.spec.healthCheckNodePort !== healthCheckNodePort)
      this.#ports.free('TCP', healthCheckNodePort)
  }
}

/** What was given before stays, where the client does not say otherwise: it may not know. */
function inherit({ spec }: Service, { spec: old }: Service): void {
  if (needsClusterIP(spec) && needsClusterIP(old)) {
    if (!spec.clusterIP && old.clusterIP) {
      spec.clusterIP = old.clusterIP
      if (!spec.clusterIPs?.length && old.clusterIPs) spec.clusterIPs = [...old.clusterIPs]
    }
    if (!spec.ipFamilies?.length && old.ipFamilies && spec.clusterIPs?.length === old.clusterIPs?.length)
      spec.ipFamilies = [...old.ipFamilies]
  }
  if (needsNodePorts(spec) && needsNodePorts(old)) {
    const used = new Set((spec.ports ?? []).map(port => `${port.protocol}/${port.nodePort}`))
    for (const port of spec.ports ?? []) {
      if (port.nodePort !== undefined) continue
      const was = old.ports?.find(one => one.port === port.port && one.protocol === port.protocol)?.nodePort
      if (was !== undefined && !used.has(`${port.protocol}/${was}`)) port.nodePort = was
    }
  }
  if (needsHealthCheck(spec) && needsHealthCheck(old))
    spec.healthCheckNodePort ??= old.healthCheckNodePort as number
}
