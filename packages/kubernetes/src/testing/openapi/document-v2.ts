import type { Fields } from '../api/object.ts'
import { kubernetesVersion } from '../http/discovery.ts'
import type { ApiType } from '../kinds/api-type.ts'
import { definitions } from './definitions.ts'
import { encodeDocument } from './encode-document.ts'
import { paths } from './paths.ts'

/** An OpenAPI document of the older version, as far as there is something to say. */
export interface DocumentV2 {
  readonly swagger: '2.0'
  readonly info: { readonly title: string; readonly version: string }
  readonly paths: Readonly<Record<string, Fields>>
  readonly definitions: Readonly<Record<string, Fields>>
}

const made = new WeakMap<readonly ApiType[], { readonly document: DocumentV2; readonly bytes: Uint8Array }>()

/** `/openapi/v2`: everything in one document, and the same in the protobuf notation that older kubectls insist on. */
export function documentV2(types: readonly ApiType[]): {
  readonly document: DocumentV2
  readonly bytes: Uint8Array
} {
  let found = made.get(types)
  if (found === undefined) {
    const document: DocumentV2 = {
      swagger: '2.0',
      info: { title: 'Kubernetes', version: kubernetesVersion.gitVersion },
      paths: paths(types, name => ({ name, in: 'query', type: 'string' })),
      definitions: definitions(types, '#/definitions/'),
    }
    found = { document, bytes: encodeDocument(document) }
    made.set(types, found)
  }
  return found
}
