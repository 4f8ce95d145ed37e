export { codes } from './codes.ts'
export { type ComposeOptions, compose } from './compose.ts'
export { program } from './program.ts'
export type { Terminal } from './terminal.ts'
