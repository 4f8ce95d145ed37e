import { Buffer } from 'node:buffer'
import { stringify } from 'yaml'
import type { Certified } from '../certificate/authority.ts'

/** Who a configuration is for; for nobody where clients need not say who they are. */
export type Credentials = { readonly token: string } | Certified | undefined

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')

function userOf(credentials: Credentials): object {
  if (credentials === undefined) return {}
  if ('token' in credentials) return { token: credentials.token }
  return {
    'client-certificate-data': base64(credentials.certificate),
    'client-key-data': base64(credentials.key),
  }
}

/** A configuration for kubectl and other clients, as YAML. */
export function kubeconfig(server: string, ca: string | undefined, credentials: Credentials): string {
  const trust =
    ca === undefined ? { 'insecure-skip-tls-verify': true } : { 'certificate-authority-data': base64(ca) }
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, ...trust } }],
    users: [{ name: 'test', user: userOf(credentials) }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  })
}
