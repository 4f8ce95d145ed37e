/** How a field is written: a scalar, a message by its name, a list `[X]`, or a map from texts `{X}`. */
export type Field = readonly [name: string, type: string]

/** Fields by number. */
export type Layout = Readonly<Record<number, Field>>

const metadata: Field = ['metadata', 'ObjectMeta']

/**
 * How Kubernetes lays out its objects in protobuf, for the kinds that `kubectl create` writes in it since 1.32, and for how
 * Helm deletes. Numbers of fields are
 * those of Kubernetes' `generated.proto` files.
 */
export const layouts: Readonly<Record<string, Layout>> = {
  ObjectMeta: {
    1: ['name', 'text'],
    2: ['generateName', 'text'],
    3: ['namespace', 'text'],
    5: ['uid', 'text'],
    6: ['resourceVersion', 'text'],
    11: ['labels', '{text}'],
    12: ['annotations', '{text}'],
    14: ['finalizers', '[text]'],
  },
  ConfigMap: { 1: metadata, 2: ['data', '{text}'], 3: ['binaryData', '{bytes}'], 4: ['immutable', 'flag'] },
  Namespace: { 1: metadata },
  Secret: {
    1: metadata,
    2: ['data', '{bytes}'],
    3: ['type', 'text'],
    4: ['stringData', '{text}'],
    5: ['immutable', 'flag'],
  },
  ServiceAccount: { 1: metadata, 4: ['automountServiceAccountToken', 'flag'] },
  SelfSubjectAccessReview: { 1: metadata, 2: ['spec', 'SelfSubjectAccessReviewSpec'] },
  SelfSubjectAccessReviewSpec: {
    1: ['resourceAttributes', 'ResourceAttributes'],
    2: ['nonResourceAttributes', 'NonResourceAttributes'],
  },
  ResourceAttributes: {
    1: ['namespace', 'text'],
    2: ['verb', 'text'],
    3: ['group', 'text'],
    4: ['version', 'text'],
    5: ['resource', 'text'],
    6: ['subresource', 'text'],
    7: ['name', 'text'],
  },
  NonResourceAttributes: { 1: ['path', 'text'], 2: ['verb', 'text'] },
  SelfSubjectRulesReview: { 1: metadata, 2: ['spec', 'SelfSubjectRulesReviewSpec'] },
  SelfSubjectRulesReviewSpec: { 1: ['namespace', 'text'] },
  SelfSubjectReview: { 1: metadata },
  DeleteOptions: {
    1: ['gracePeriodSeconds', 'whole'],
    2: ['preconditions', 'Preconditions'],
    3: ['orphanDependents', 'flag'],
    4: ['propagationPolicy', 'text'],
    5: ['dryRun', '[text]'],
  },
  Preconditions: { 1: ['uid', 'text'], 2: ['resourceVersion', 'text'] },
}

/** The kinds that can be read. */
export const readableKinds: ReadonlySet<string> = new Set([
  ...Object.entries(layouts).flatMap(([name, layout]) => (layout[1] === metadata ? [name] : [])),
  'DeleteOptions',
])
