export { type Change, judge, type Verdict } from './judge.ts'
export type { ConfigKind } from './kinds.ts'
export { type WebhookConfigurationOptions, webhookConfiguration } from './webhook-configuration.ts'
export { WebhookServer, type WebhookServerOptions } from './webhook-server.ts'
