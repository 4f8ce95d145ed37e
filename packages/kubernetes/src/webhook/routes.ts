import type { ConfigKind } from './kinds.ts'

/** What one webhook judges: MetalLB's paths. */
export interface AdmissionRoute {
  readonly path: string
  readonly kind: ConfigKind
  readonly version: 'v1beta1' | 'v1beta2'
  readonly plural: string
  /** Its name in MetalLB's ValidatingWebhookConfiguration. */
  readonly name: string
  /** Changes that wait for its answer, whatever becomes of it. */
  readonly awaited: readonly Operation[]
  /** Changes that are made all the same where nobody answers: what is deleted must not wait for those who may be deleted, too. */
  readonly heard: readonly Operation[]
}

/** What may be done to an object. */
export type Operation = 'CREATE' | 'UPDATE' | 'DELETE'

function route(
  kind: ConfigKind,
  version: AdmissionRoute['version'],
  plural: string,
  operations: Pick<AdmissionRoute, 'awaited' | 'heard'>,
  name = `${kind.toLowerCase()}validationwebhook.metallb.io`,
): AdmissionRoute {
  const path = `/validate-metallb-io-${version}-${kind.toLowerCase()}`
  return { path, kind, version, plural, name, ...operations }
}

const written = { awaited: ['CREATE', 'UPDATE'], heard: [] } as const
const kept = { awaited: ['CREATE', 'UPDATE'], heard: ['DELETE'] } as const

/** Every admission webhook, as a ValidatingWebhookConfiguration lists them. */
export const admissionRoutes: readonly AdmissionRoute[] = [
  route('IPAddressPool', 'v1beta1', 'ipaddresspools', kept),
  route('L2Advertisement', 'v1beta1', 'l2advertisements', written),
  route('BGPAdvertisement', 'v1beta1', 'bgpadvertisements', written),
  route('Community', 'v1beta1', 'communities', kept),
  route('BFDProfile', 'v1beta1', 'bfdprofiles', kept),
  route('BGPPeer', 'v1beta2', 'bgppeers', kept, 'bgppeersvalidationwebhook.metallb.io'),
]

/** For whom asks in the old version, rather than let the API server convert. */
const oldPeers: AdmissionRoute = route('BGPPeer', 'v1beta1', 'bgppeers', written)

/** Where conversions are asked for. */
export const conversionPath = '/convert'

/** By path: the kind that is judged there. */
export const judgedAt: ReadonlyMap<string, ConfigKind> = new Map(
  [...admissionRoutes, oldPeers].map(({ path, kind }) => [path, kind]),
)
