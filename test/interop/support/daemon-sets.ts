interface Expression {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[]
}

/** As much of a DaemonSet as says on which nodes its pods run. */
export interface DaemonSet {
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> }
      readonly spec: {
        readonly nodeSelector?: Readonly<Record<string, string>>
        readonly affinity?: {
          readonly nodeAffinity?: {
            readonly requiredDuringSchedulingIgnoredDuringExecution?: {
              readonly nodeSelectorTerms: readonly { readonly matchExpressions?: readonly Expression[] }[]
            }
          }
        }
      }
    }
  }
}

type Labels = Readonly<Record<string, string>>

function holds({ key, operator, values = [] }: Expression, labels: Labels): boolean {
  const value = labels[key]
  switch (operator) {
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    default:
      throw new Error(`the operator ${operator} is not known here`)
  }
}

/** Whether a DaemonSet has a pod on a node with these labels, as Kubernetes decides. */
export function wants({ spec: { template } }: DaemonSet, labels: Labels): boolean {
  const { nodeSelector = {}, affinity } = template.spec
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  return (
    Object.entries(nodeSelector).every(([key, value]) => labels[key] === value) &&
    (terms === undefined ||
      terms.some(({ matchExpressions = [] }) => matchExpressions.every(one => holds(one, labels))))
  )
}
