import * as z from 'zod'
import { duration, flag, immutable, integer, list, text, textMap } from './field.ts'
import { selectors } from './label-selector.ts'

const asn = { min: 0, max: 0xffffffff, format: 'int64' } as const

const passwordSecret = z
  .object({
    name: text('Name of the Secret.').optional(),
    namespace: text('Not used.').optional(),
  })
  .meta({
    description: 'A Secret of type kubernetes.io/basic-auth with the TCP-MD5 key as `password`.',
    'x-kubernetes-map-type': 'atomic',
  })

/** `spec` of a BGPPeer, version v1beta2. */
export const bgpPeerSpec = z
  .object({
    myASN: integer('AS number of this side.', asn),
    peerASN: integer('AS number of the peer. Either this or dynamicASN.', asn).optional(),
    localASN: integer('AS number to show to this peer in place of myASN.', { ...asn, min: 1 }).optional(),
    dynamicASN: z
      .enum(['internal', 'external'])
      .meta({ description: 'Accept any peer in the same AS (internal) or in another one (external).' })
      .optional(),
    peerAddress: text('Address to connect to. Either this or interface.').optional(),
    interface: text('Interface on which to find the peer by its link-local address.').optional(),
    sourceAddress: text('Address to connect from.').optional(),
    peerPort: integer('TCP port of the peer.', { min: 1, max: 16384 }).default(179),
    holdTime: duration('Proposed hold time: 0s, or 3s and longer.').optional(),
    keepaliveTime: duration('Proposed time between keepalives, not above the hold time.').optional(),
    connectTime: duration('Time between attempts to connect, in whole seconds.', [
      'connectTimeRange',
      'wholeSeconds',
    ]).optional(),
    routerID: text('BGP identifier of this side.').optional(),
    nodeSelectors: selectors('Nodes that open the session; empty for every node.').optional(),
    password: text('TCP-MD5 key. A Secret is the better place, see passwordSecret.').optional(),
    passwordSecret: passwordSecret.optional(),
    bfdProfile: text('Name of the BFDProfile with which the session is watched.').optional(),
    enableGracefulRestart: immutable(
      flag('Ask the peer to keep routes while this side restarts.'),
    ).optional(),
    ebgpMultiHop: flag('The peer is in another AS and more than one hop away.').optional(),
    vrf: text('VRF of the host in which the session is opened.').optional(),
    disableMP: flag('Deprecated and without effect.').default(false),
    dualStackAddressFamily: flag('Carry IPv4 and IPv6 routes over this one session.').default(false),
  })
  .meta({ description: 'A router to open a BGP session with.' })

const nodeSelector = z
  .object({
    matchLabels: textMap('Labels and the values they must have.').optional(),
    matchExpressions: list(
      z
        .object({
          key: text('Label that the condition looks at.'),
          operator: text('In, NotIn, Exists or DoesNotExist.'),
          values: z.array(z.string()).min(1).meta({ description: 'Values for In and NotIn.' }),
        })
        .meta({ description: 'One condition on a label.' }),
      'Conditions that must all hold.',
    ).optional(),
  })
  .meta({ description: 'Selects nodes by label. Everything in it must hold.' })

/** `spec` of a BGPPeer, version v1beta1: deprecated, accepted and converted. */
export const bgpPeerV1beta1Spec = z
  .object({
    myASN: integer('AS number of this side.', asn),
    peerASN: integer('AS number of the peer.', asn),
    peerAddress: text('Address to connect to.'),
    sourceAddress: text('Address to connect from.').optional(),
    peerPort: integer('TCP port of the peer; 0 is 179.', { min: 0, max: 16384 }).optional(),
    holdTime: duration('Proposed hold time; 0s is unset.').optional(),
    keepaliveTime: duration('Proposed time between keepalives; 0s is unset.').optional(),
    routerID: text('BGP identifier of this side.').optional(),
    nodeSelectors: list(nodeSelector, 'Nodes that open the session; empty for every node.').optional(),
    password: text('TCP-MD5 key.').optional(),
    bfdProfile: text('Name of the BFDProfile with which the session is watched.').optional(),
    ebgpMultiHop: flag('The peer is in another AS and more than one hop away.').optional(),
  })
  .meta({ description: 'A router to open a BGP session with.' })
