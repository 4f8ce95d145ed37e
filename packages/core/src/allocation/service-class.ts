import type { Service } from '../resources/index.ts'
import type { Reason } from './assignment.ts'

/** Which Services are ours. */
export interface ClassOptions {
  /** Services of this loadBalancerClass are ours. Unset or empty: those without one. */
  readonly loadBalancerClass?: string
  /**
   * With `loadBalancerClass`: Services without a class are ours as well.
   * @default false
   */
  readonly alsoUnclassed?: boolean
}

/** Why a Service is not ours; undefined when it is. */
export function notOurs(
  { spec }: Service,
  { loadBalancerClass = '', alsoUnclassed = false }: ClassOptions,
): Reason | undefined {
  if (spec.type !== 'LoadBalancer') {
    return { code: 'notLoadBalancer', message: `the Service is of type ${spec.type}, not LoadBalancer` }
  }
  const own = spec.loadBalancerClass ?? ''
  if (own === loadBalancerClass || (own === '' && alsoUnclassed)) return undefined
  const ours = loadBalancerClass === '' ? 'Services without a class' : `class "${loadBalancerClass}"`
  return {
    code: 'otherClass',
    message:
      own === ''
        ? `the Service has no loadBalancerClass; this controller serves ${ours}`
        : `the Service has loadBalancerClass "${own}"; this controller serves ${ours}`,
  }
}
