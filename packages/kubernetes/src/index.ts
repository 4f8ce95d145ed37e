/**
 * Carillon in a Kubernetes cluster. A Kubernetes API server for tests is exported as `@carillon/kubernetes/testing`.
 *
 * @packageDocumentation
 */
export * from './client/index.ts'
export { codes } from './codes.ts'
export * from './source/index.ts'
