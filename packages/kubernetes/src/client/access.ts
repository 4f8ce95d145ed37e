import type { Access, TlsMaterial } from './credentials.ts'

const fields = [
  'ca',
  'cert',
  'key',
  'servername',
  'rejectUnauthorized',
] as const satisfies readonly (keyof TlsMaterial)[]

/** `next`, with the TLS material of `before` where it is equal: connections are made anew only where their keys have changed. */
export function sharedAccess(before: Access | undefined, next: Access): Access {
  const known = before?.tls
  if (!known || !fields.every(field => known[field] === next.tls[field])) return next
  return { ...next, tls: known }
}
