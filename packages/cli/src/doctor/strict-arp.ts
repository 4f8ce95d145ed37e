import { type Finding, findingsOf } from './finding.ts'

const finding = findingsOf('strictARP')

/** How the kernel answers ARP. */
export interface ArpFacts {
  /** Whether kube-proxy keeps Service addresses on kube-ipvs0. */
  readonly ipvs: boolean
  /** net.ipv4.conf.all.arp_ignore and arp_announce; undefined: not readable. */
  readonly ignore: number | undefined
  readonly announce: number | undefined
  /** Service addresses that an interface of this host bears, and which; kube-ipvs0 apart. */
  readonly borne: readonly { readonly address: string; readonly interface: string }[]
}

/** Whether the kernel leaves answering for Service addresses to the speaker. */
export function checkStrictArp({ ipvs, ignore, announce, borne }: ArpFacts): readonly Finding[] {
  const strict = (ignore ?? 0) >= 1 && (announce ?? 0) >= 2
  const found = `arp_ignore=${ignore ?? '?'}, arp_announce=${announce ?? '?'}`
  const advice =
    'set strictARP: true in the ipvs section of the ConfigMap kube-system/kube-proxy and restart it; without Kubernetes: sysctl net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2'
  const general = ipvs
    ? ignore === undefined || announce === undefined
      ? finding('', 'skipped', `there is kube-ipvs0, and the settings of ARP cannot be read: ${found}`)
      : strict
        ? finding('', 'ok', `kube-proxy uses IPVS, and the kernel keeps to its own interfaces: ${found}`)
        : finding(
            '',
            'error',
            `kube-proxy uses IPVS, and the kernel of every node answers for every Service address on kube-ipvs0: ${found}`,
            advice,
          )
    : finding('', 'ok', 'there is no kube-ipvs0, so the kernel answers for no Service address because of it')
  const answering = borne.filter(one => one.interface !== 'lo' || (ignore ?? 0) < 1)
  return [
    general,
    ...answering.map(one =>
      finding(
        one.address,
        'warning',
        `is an address of ${one.interface}, so that the kernel of this host answers for it whoever owns it`,
        one.interface === 'lo'
          ? advice
          : 'take it off the interface, or put it on lo with arp_ignore=1 and arp_announce=2',
      ),
    ),
  ]
}
