import { type Finding, findingsOf } from './finding.ts'

const finding = findingsOf('kernel')

/** Something that was tried with a socket: undefined when it worked, else the code of the error. */
export type Trial = string | undefined

/** What the kernel was asked. */
export interface KernelFacts {
  /** A packet socket with a filter in the kernel. */
  readonly frames: Trial
  /** TCP-MD5 on a listening socket. */
  readonly md5: Trial
  /** SO_BINDTODEVICE */
  readonly device: Trial
  /** Packets with a low TTL dropped by the kernel. */
  readonly minimumTtl: Trial
  /** Whether IPv6 is on; undefined: the kernel has none. */
  readonly ipv6: boolean | undefined
  /** Whether it has VRFs. */
  readonly vrf: boolean
}

/** What the kernel can do. */
export function checkKernel(facts: KernelFacts): readonly Finding[] {
  const { frames, md5, device, minimumTtl, ipv6, vrf } = facts
  return [
    frames === undefined
      ? finding('packet sockets', 'ok', 'open, with a BPF filter')
      : finding(
          'packet sockets',
          'error',
          `cannot be opened (${frames}): nothing can be announced by ARP or NDP`,
          frames === 'EPERM'
            ? 'give the process CAP_NET_RAW'
            : 'the addon is built by "npm run build"; the kernel needs CONFIG_PACKET',
        ),
    tried(
      'TCP-MD5',
      md5,
      'BGPPeers with a password cannot be reached',
      'use a kernel with CONFIG_TCP_MD5SIG',
    ),
    tried(
      'SO_BINDTODEVICE',
      device,
      'BGPPeers with an interface or a VRF cannot be reached',
      device === 'EPERM' ? 'give the process CAP_NET_RAW, or use Linux 5.7 or newer' : 'use a newer kernel',
    ),
    tried('minimum TTL', minimumTtl, 'BFD cannot tell neighbours from strangers', 'use a newer kernel'),
    ipv6 === undefined
      ? finding(
          'IPv6',
          'warning',
          'the kernel has none: IPv6 addresses cannot be announced',
          'boot without ipv6.disable=1',
        )
      : ipv6
        ? finding('IPv6', 'ok', 'on')
        : finding(
            'IPv6',
            'warning',
            'switched off: IPv6 addresses cannot be announced',
            'sysctl net.ipv6.conf.all.disable_ipv6=0, if you have IPv6 addresses',
          ),
    vrf
      ? finding('VRF', 'ok', 'there')
      : finding('VRF', 'skipped', 'not there; only needed for BGPPeers with spec.vrf (CONFIG_NET_VRF)'),
  ]
}

const tried = (subject: string, trial: Trial, otherwise: string, advice: string): Finding =>
  trial === undefined
    ? finding(subject, 'ok', 'works')
    : finding(subject, 'warning', `does not work (${trial}): ${otherwise}`, advice)
