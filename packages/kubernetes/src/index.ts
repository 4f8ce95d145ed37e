/**
 * Carillon in a Kubernetes cluster. A Kubernetes API server for tests is exported as `@carillon/kubernetes/testing`.
 *
 * @packageDocumentation
 */
export * from './access/index.ts'
export * from './certificates/index.ts'
export * from './client/index.ts'
export { codes } from './codes.ts'
export * from './controller/index.ts'
export * from './events/index.ts'
export * from './lease/index.ts'
export * from './source/index.ts'
export * from './speaker/index.ts'
export * from './webhook/index.ts'
export * from './writers/index.ts'
