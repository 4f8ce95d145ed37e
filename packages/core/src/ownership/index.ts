export type { AddressPlan, Layer2Advertisement } from './address-plan.ts'
export type { Cluster, ClusterInputs, NodeFacts } from './cluster.ts'
export type {
  PlanDocument,
  ServiceDocument,
  SilentNode,
} from './describe.ts'
export { describeInvalid, describePlan, describeService } from './describe.ts'
export type { Candidate, Standing } from './election.ts'
export { elect, rank, succession } from './election.ts'
export { canServe } from './endpoints.ts'
export type { Explanation, NodeExplanation, SuccessionEntry } from './explain.ts'
export { explain } from './explain.ts'
export type { Smallest } from './hash/hasher.ts'
export { Hasher } from './hash/hasher.ts'
export type { Interfaces } from './layer2.ts'
export type { GateOutcome, PlannedAnnouncement, Protocol } from './plan.ts'
export { Plan, ServicePlan } from './plan.ts'
export type { PlanInputs } from './planner.ts'
export { Planner, plan } from './planner.ts'
export type { Because, Verdict } from './verdict.ts'
export { reasons, serviceKey } from './verdict.ts'
