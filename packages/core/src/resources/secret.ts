import { Buffer } from 'node:buffer'
import { type NamespacedMeta, readNamespacedMetadata } from './metadata.ts'
import type { Report } from './report.ts'
import { type Fields, fieldPath, textField, textMapField } from './value.ts'

/** A Secret. Never log it, and never put its values into a message. */
export interface Secret {
  readonly apiVersion: 'v1'
  readonly kind: 'Secret'
  readonly metadata: NamespacedMeta
  /** `Opaque` where the object says nothing. */
  readonly type: string
  /** Base64; `stringData` is folded in. */
  readonly data: Readonly<Record<string, string>>
}

/** One pattern for the whole text would need a stack as deep as the text is long. */
function isBase64(text: string): boolean {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  return text.length % 4 === 0 && !/[^A-Za-z0-9+/]/.test(text.slice(0, text.length - padding))
}

/** Reads a Secret. Its values appear in no problem. */
export function readSecret(report: Report, object: Fields): Secret {
  const data: Record<string, string> = {}
  for (const [key, value] of Object.entries(textMapField(report, object, '', 'data'))) {
    // Line breaks within base64 are allowed, as Kubernetes allows them.
    data[key] = value.replace(/[\r\n]/g, '')
    if (!isBase64(data[key]))
      report.error(fieldPath('data', key), 'is not base64; plain text belongs in stringData')
  }
  for (const [key, value] of Object.entries(textMapField(report, object, '', 'stringData'))) {
    data[key] = Buffer.from(value).toString('base64')
  }
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: readNamespacedMetadata(report, object),
    type: textField(report, object, '', 'type') ?? 'Opaque',
    data,
  }
}

/** The value of a key as UTF-8 text; undefined when the Secret does not have it. */
export function secretText(secret: Secret, key: string): string | undefined {
  const value = Object.hasOwn(secret.data, key) ? secret.data[key] : undefined
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString()
}
