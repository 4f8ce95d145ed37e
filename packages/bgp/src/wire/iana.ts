// The numbers that IANA keeps for BGP, as far as they are used here.

/** "BGP Message Types" */
export const messageTypes = {
  open: 1,
  update: 2,
  notification: 3,
  keepalive: 4,
  routeRefresh: 5,
} as const

/** "Address Family Numbers" */
export const afis = { ipv4: 1, ipv6: 2 } as const

/** "Subsequent Address Family Identifiers (SAFI) Parameters" */
export const safis = { unicast: 1 } as const

/** "BGP OPEN Optional Parameter Types"; the last one marks the extended form of RFC 9072. */
export const parameterTypes = { capabilities: 2, extended: 255 } as const

/** "Capability Codes" */
export const capabilityCodes = {
  /** RFC 4760 */
  multiprotocol: 1,
  /** RFC 2918 */
  routeRefresh: 2,
  /** RFC 8950 */
  extendedNextHop: 5,
  /** RFC 8654 */
  extendedMessage: 6,
  /** RFC 4724 */
  gracefulRestart: 64,
  /** RFC 6793 */
  fourOctetAs: 65,
  /** RFC 7313 */
  enhancedRouteRefresh: 70,
  /** draft-walton-bgp-hostname-capability */
  hostname: 73,
} as const

/** "BGP Path Attributes" */
export const attributeCodes = {
  origin: 1,
  asPath: 2,
  nextHop: 3,
  med: 4,
  localPref: 5,
  atomicAggregate: 6,
  aggregator: 7,
  /** RFC 1997 */
  communities: 8,
  /** RFC 4760 */
  mpReach: 14,
  /** RFC 4760 */
  mpUnreach: 15,
  /** RFC 4360 */
  extendedCommunities: 16,
  /** RFC 6793 */
  as4Path: 17,
  /** RFC 6793 */
  as4Aggregator: 18,
  /** RFC 8092 */
  largeCommunities: 32,
} as const

/** Bits of an attribute's first octet (RFC 4271 section 4.3). */
export const attributeFlags = {
  optional: 0x80,
  transitive: 0x40,
  partial: 0x20,
  extendedLength: 0x10,
} as const

/** "BGP ORIGIN" (RFC 4271 section 5.1.1) */
export const originCodes = { igp: 0, egp: 1, incomplete: 2 } as const

/** Types of AS_PATH segments (RFC 4271 section 4.3, RFC 5065 section 3) */
export const segmentTypes = { set: 1, sequence: 2, confederationSequence: 3, confederationSet: 4 } as const

/** "BGP Route Refresh Subcodes" (RFC 7313) */
export const refreshSubtypes = { request: 0, begin: 1, end: 2 } as const

/** Stands for an AS number that two octets cannot hold (RFC 6793). */
export const AS_TRANS = 23456

/** "BGP Error (Notification) Codes" with their subcodes, and each in the registry's words. */
export const notificationCodes = {
  header: {
    code: 1,
    words: 'Message Header Error',
    subcodes: {
      unspecific: { code: 0, words: 'Unspecific' },
      notSynchronized: { code: 1, words: 'Connection Not Synchronized' },
      badLength: { code: 2, words: 'Bad Message Length' },
      badType: { code: 3, words: 'Bad Message Type' },
    },
  },
  open: {
    code: 2,
    words: 'OPEN Message Error',
    subcodes: {
      unspecific: { code: 0, words: 'Unspecific' },
      unsupportedVersion: { code: 1, words: 'Unsupported Version Number' },
      badPeerAs: { code: 2, words: 'Bad Peer AS' },
      badIdentifier: { code: 3, words: 'Bad BGP Identifier' },
      unsupportedParameter: { code: 4, words: 'Unsupported Optional Parameter' },
      authenticationFailure: { code: 5, words: 'Authentication Failure' },
      unacceptableHoldTime: { code: 6, words: 'Unacceptable Hold Time' },
      /** RFC 5492 */
      unsupportedCapability: { code: 7, words: 'Unsupported Capability' },
      /** RFC 9234 */
      roleMismatch: { code: 11, words: 'Role Mismatch' },
    },
  },
  update: {
    code: 3,
    words: 'UPDATE Message Error',
    subcodes: {
      unspecific: { code: 0, words: 'Unspecific' },
      malformedAttributeList: { code: 1, words: 'Malformed Attribute List' },
      unrecognizedWellKnown: { code: 2, words: 'Unrecognized Well-known Attribute' },
      missingWellKnown: { code: 3, words: 'Missing Well-known Attribute' },
      flags: { code: 4, words: 'Attribute Flags Error' },
      length: { code: 5, words: 'Attribute Length Error' },
      invalidOrigin: { code: 6, words: 'Invalid ORIGIN Attribute' },
      routingLoop: { code: 7, words: 'AS Routing Loop' },
      invalidNextHop: { code: 8, words: 'Invalid NEXT_HOP Attribute' },
      optionalAttribute: { code: 9, words: 'Optional Attribute Error' },
      invalidNetwork: { code: 10, words: 'Invalid Network Field' },
      malformedAsPath: { code: 11, words: 'Malformed AS_PATH' },
    },
  },
  holdTimer: {
    code: 4,
    words: 'Hold Timer Expired',
    subcodes: { unspecific: { code: 0, words: 'Unspecific' } },
  },
  /** Subcodes: RFC 6608 */
  stateMachine: {
    code: 5,
    words: 'Finite State Machine Error',
    subcodes: {
      unspecific: { code: 0, words: 'Unspecified Error' },
      inOpenSent: { code: 1, words: 'Receive Unexpected Message in OpenSent State' },
      inOpenConfirm: { code: 2, words: 'Receive Unexpected Message in OpenConfirm State' },
      inEstablished: { code: 3, words: 'Receive Unexpected Message in Established State' },
    },
  },
  /** Subcodes: RFC 4486 */
  cease: {
    code: 6,
    words: 'Cease',
    subcodes: {
      unspecific: { code: 0, words: 'Unspecific' },
      maximumPrefixes: { code: 1, words: 'Maximum Number of Prefixes Reached' },
      administrativeShutdown: { code: 2, words: 'Administrative Shutdown' },
      peerDeconfigured: { code: 3, words: 'Peer De-configured' },
      administrativeReset: { code: 4, words: 'Administrative Reset' },
      connectionRejected: { code: 5, words: 'Connection Rejected' },
      otherConfigurationChange: { code: 6, words: 'Other Configuration Change' },
      collisionResolution: { code: 7, words: 'Connection Collision Resolution' },
      outOfResources: { code: 8, words: 'Out of Resources' },
      /** RFC 8538 */
      hardReset: { code: 9, words: 'Hard Reset' },
      /** RFC 9384 */
      bfdDown: { code: 10, words: 'BFD Down' },
    },
  },
  /** RFC 7313 */
  routeRefresh: {
    code: 7,
    words: 'ROUTE-REFRESH Message Error',
    subcodes: {
      unspecific: { code: 0, words: 'Reserved' },
      invalidLength: { code: 1, words: 'Invalid Message Length' },
    },
  },
  /** RFC 9687 */
  sendHoldTimer: {
    code: 8,
    words: 'Send Hold Timer Expired',
    subcodes: { unspecific: { code: 0, words: 'Unspecific' } },
  },
} as const
