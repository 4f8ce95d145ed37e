import { arp, type Layer2Options, ndp } from '@carillon/arp'
import {
  type Blackboard,
  type Logger,
  ManifestSource,
  type Membership,
  type Metrics,
  manifestsOnDisk,
  type Network,
  Speaker,
  systemClock,
} from '@carillon/core'
import { type BgpRunOptions, lateBgp } from './bgp.ts'

/** What one speaker without Kubernetes is made of. */
export interface ComposeOptions {
  readonly node: string
  readonly manifests: readonly string[]
  readonly network: Network
  readonly log: Logger
  readonly metrics: Metrics
  readonly version: string
  readonly layer2?: Layer2Options
  readonly bgp?: BgpRunOptions
  readonly loadBalancerClass?: string
  readonly ignoreExcludeLb?: boolean
  readonly membership?: Membership
  readonly whenIsolated?: 'announce' | 'silent'
  readonly holdDownMs?: number
  readonly sticky?: Blackboard
  readonly bgpPasswords?: ReadonlyMap<string, string>
}

/** Introduces the parts to each other: manifests, the speaker, its announcers, the real network and clock. */
export function compose(options: ComposeOptions): Speaker {
  const { manifests, layer2 = {}, bgp, ...rest } = options
  return new Speaker({
    ...rest,
    source: new ManifestSource({ files: manifestsOnDisk(manifests), clock: systemClock }),
    announcers: [arp(layer2), ndp(layer2), lateBgp(bgp)],
    clock: systemClock,
    random: Math.random,
    standalone: true,
  })
}
