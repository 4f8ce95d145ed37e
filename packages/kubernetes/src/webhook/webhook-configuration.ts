import { type AdmissionRoute, admissionRoutes, type Operation } from './routes.ts'

/** How the API server is to call our webhooks. */
export interface WebhookConfigurationOptions {
  /** Where the Service is. */
  readonly namespace: string
  /** @default 'metallb-webhook-configuration' */
  readonly name?: string
  /** @default 'metallb-webhook-service' */
  readonly service?: string
  /**
   * What becomes of a change when no webhook answers. Deletions never wait: a namespace with webhooks in it could not be deleted otherwise.
   * @default 'Fail'
   */
  readonly failurePolicy?: 'Fail' | 'Ignore'
  /**
   * Webhooks are reached at this address, `https://host:port`, rather than by the Service.
   */
  readonly url?: string
}

/** The ValidatingWebhookConfiguration of our webhooks. Whom to trust is filled in by `SecretCertificates`. */
export function webhookConfiguration(options: WebhookConfigurationOptions): {
  readonly apiVersion: 'admissionregistration.k8s.io/v1'
  readonly kind: 'ValidatingWebhookConfiguration'
  readonly metadata: { readonly name: string }
  readonly webhooks: readonly object[]
} {
  const { namespace, name = 'metallb-webhook-configuration', failurePolicy = 'Fail', url } = options
  const service = options.service ?? 'metallb-webhook-service'
  const entry = (
    webhook: string,
    { path, version, plural }: AdmissionRoute,
    operations: readonly Operation[],
    policy: 'Fail' | 'Ignore',
  ): object => ({
    name: webhook,
    clientConfig:
      url === undefined ? { service: { name: service, namespace, path } } : { url: `${url}${path}` },
    rules: [{ apiGroups: ['metallb.io'], apiVersions: [version], operations, resources: [plural] }],
    failurePolicy: policy,
    matchPolicy: 'Equivalent',
    sideEffects: 'None',
    timeoutSeconds: 10,
    admissionReviewVersions: ['v1'],
  })
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: admissionRoutes.flatMap(route => [
      entry(route.name, route, route.awaited, failurePolicy),
      ...(route.heard.length === 0
        ? []
        : [entry(`${route.kind.toLowerCase()}deletionwebhook.carillon.io`, route, route.heard, 'Ignore')]),
    ]),
  }
}
