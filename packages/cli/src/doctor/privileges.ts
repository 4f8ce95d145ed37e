import { type Finding, findingsOf } from './finding.ts'

const finding = findingsOf('privileges')

interface Capability {
  readonly name: string
  /** Its bit (linux/capability.h). */
  readonly bit: number
  readonly for: string
  readonly without: 'error' | 'warning' | 'skipped'
}

const capabilities: readonly Capability[] = [
  { name: 'CAP_NET_RAW', bit: 13, for: 'announcing by ARP and NDP', without: 'error' },
  {
    name: 'CAP_NET_BIND_SERVICE',
    bit: 10,
    for: 'routers that connect to this node (--bgp-listen, port 179)',
    without: 'skipped',
  },
  { name: 'CAP_SYS_NICE', bit: 23, for: 'BFD in real time', without: 'warning' },
  { name: 'CAP_NET_ADMIN', bit: 12, for: 'receive buffers beyond net.core.rmem_max', without: 'skipped' },
]

/** What this process may do. @param effective the bits of CapEff; undefined: not known */
export function checkPrivileges(effective: bigint | undefined): readonly Finding[] {
  if (effective === undefined)
    return [
      finding('', 'skipped', 'the capabilities of a process cannot be read here: that takes Linux and /proc'),
    ]
  return capabilities.map(({ name, bit, for: purpose, without }) => {
    if ((effective >> BigInt(bit)) & 1n) return finding(name, 'ok', `is there, for ${purpose}`)
    const advice = `run as root, or give it: setcap on node, AmbientCapabilities in systemd, securityContext.capabilities.add in a pod`
    return without === 'skipped'
      ? finding(name, 'skipped', `is not there; only needed for ${purpose}`)
      : finding(name, without, `is not there, which is needed for ${purpose}`, advice)
  })
}
