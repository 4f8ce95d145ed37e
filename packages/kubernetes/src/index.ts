/**
 * Carillon in a Kubernetes cluster. A Kubernetes API server for tests is exported as `@carillon/kubernetes/testing`.
 *
 * @packageDocumentation
 */
export { codes } from './codes.ts'
