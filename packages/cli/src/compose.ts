import { arp, type Layer2Options, ndp } from '@carillon/arp'
import {
  type Blackboard,
  type Logger,
  type Membership,
  type Metrics,
  type Network,
  type Source,
  Speaker,
  systemClock,
} from '@carillon/core'
import { type BgpRunOptions, lateBgp } from './bgp.ts'

/** What one speaker is made of. */
export interface ComposeOptions {
  readonly node: string
  readonly source: Source
  readonly standalone: boolean
  readonly assignments?: 'allocate' | 'adopt'
  readonly network: Network
  readonly log: Logger
  readonly metrics: Metrics
  readonly version: string
  readonly layer2?: Layer2Options
  readonly bgp?: BgpRunOptions
  readonly loadBalancerClass?: string
  readonly alsoUnclassed?: boolean
  readonly ignoreExcludeLb?: boolean
  readonly membership?: Membership
  readonly whenIsolated?: 'announce' | 'silent'
  readonly holdDownMs?: number
  readonly sticky?: Blackboard
}

/** Introduces the parts to each other: the speaker, its source, its announcers, the real network and clock. */
export function compose(options: ComposeOptions): Speaker {
  const { layer2 = {}, bgp, ...rest } = options
  return new Speaker({
    ...rest,
    announcers: [arp(layer2), ndp(layer2), lateBgp(bgp)],
    clock: systemClock,
    random: Math.random,
  })
}
