export * from './client/index.ts'
export { codes } from './codes.ts'
export * from './source/index.ts'
