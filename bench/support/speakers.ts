import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'

/** The addresses that move. */
export const vip = { 4: '10.77.0.100', 6: 'fd77::100' } as const

/** Another node, as a speaker finds it. */
export interface Peer {
  readonly name: string
  readonly address: string
}

/** What a speaker is started with. */
export interface Place extends Peer {
  /** From 1. */
  readonly number: number
  readonly others: readonly Peer[]
  /** An empty folder of its own. */
  readonly folder: string
}

/** A program that holds the addresses, and how it is started on a node. */
export interface SpeakerKind {
  readonly name: string
  /** It only answers for the addresses, which are on every node's loopback interface; others put them on the interface themselves. */
  readonly mute: boolean
  /** A death is noticed within this many milliseconds, or not at all. */
  readonly patienceMs: number
  /** A fault may come at any moment of this many milliseconds: the longest of its intervals. */
  readonly phaseMs: number
  /** Writes what it needs into its folder; gives the command. */
  prepare(place: Place): readonly [command: string, ...args: string[]]
}

const bin = fileURLToPath(new URL('../../../../packages/cli/bin/carillon.js', import.meta.url))

const manifests = `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: lan }
spec: { addresses: [${vip[4]}/32, '${vip[6]}/128'] }
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: all }
---
apiVersion: v1
kind: Service
metadata:
  name: echo
  annotations: { metallb.io/loadBalancerIPs: '${vip[4]},${vip[6]}' }
spec: { type: LoadBalancer, ports: [{ port: 7000, protocol: UDP }] }
`

/** `carillon run` with a gossip profile. */
export function carillon(profile: 'fast' | 'lan'): SpeakerKind {
  return {
    name: profile,
    mute: true,
    patienceMs: profile === 'fast' ? 4000 : 15_000,
    phaseMs: profile === 'fast' ? 250 : 1000,
    prepare({ name, address, others, folder }) {
      const path = join(folder, 'cluster.yaml')
      writeFileSync(path, manifests)
      const where = ['--gossip-bind', address, ...others.flatMap(peer => ['--gossip-join', peer.address])]
      const what = ['--node', name, '--manifests', path, '--gossip-profile', profile]
      return [execPath, bin, 'run', ...what, ...where, '--http', 'off', '--log-level', 'warn']
    },
  }
}

/** keepalived with a router for each family: the first node is preferred, all else as it comes. */
export function keepalived(seconds: number): SpeakerKind {
  const instance = (family: 4 | 6, number: number): string => {
    const version = family === 4 && seconds >= 1 ? 2 : 3
    const addresses = family === 4 ? [`${vip[4]}/24`] : ['fe80::56', `${vip[6]}/64`]
    return `vrrp_instance V${family} {
  state BACKUP
  interface eth0
  virtual_router_id 5${family}
  priority ${Math.max(10, 150 - 30 * (number - 1))}
  advert_int ${seconds}
  version ${version}
  virtual_ipaddress {
    ${addresses.join('\n    ')}
  }
}
`
  }
  return {
    name: `keepalived ${seconds}`,
    mute: false,
    patienceMs: 4000 + 4000 * seconds,
    phaseMs: 1000 * seconds,
    prepare({ name, number, folder }) {
      const path = join(folder, 'keepalived.conf')
      const version = seconds >= 1 ? 2 : 3
      const global = `global_defs {\n  router_id ${name}\n  vrrp_version ${version}\n}\n`
      writeFileSync(path, `${global}${instance(4, number)}${instance(6, number)}`)
      const files = ['-p', join(folder, 'main.pid'), '-r', join(folder, 'vrrp.pid')]
      return ['keepalived', '--dont-fork', '--log-console', '-P', '-f', path, ...files]
    },
  }
}
