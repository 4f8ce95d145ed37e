export type { KindStatus } from './follower.ts'
export { KubernetesSource, type KubernetesSourceOptions, type SourceStatus } from './kubernetes-source.ts'
export { ObjectSource, type ObjectSourceEvents, type ObjectSourceOptions } from './object-source.ts'
export type { KindName } from './watched-kind.ts'
