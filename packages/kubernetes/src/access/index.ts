export { type Admittance, Gatekeeper, type GatekeeperOptions } from './gatekeeper.ts'
