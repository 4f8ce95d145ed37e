export { Controller, type ControllerOptions, type ControllerStatus } from './controller.ts'
export { ensureMemberlistSecret, type MemberlistSecretOptions } from './memberlist-secret.ts'
