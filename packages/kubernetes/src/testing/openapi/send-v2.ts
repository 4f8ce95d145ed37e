import type { ServerResponse } from 'node:http'
import { send } from '../http/reply.ts'
import type { ApiType } from '../kinds/api-type.ts'
import { documentV2 } from './document-v2.ts'

/** How clients ask for protobuf; the answer bears the second name, as the first is no valid media type. */
const asked = /application\/com\.github\.proto-openapi\.spec\.v2[@.]v1\.0\+protobuf/
const protobuf = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

/** Answers with the document in the notation that the client takes. */
export function sendOpenApiV2(response: ServerResponse, types: readonly ApiType[], accept: string): void {
  const { document, bytes } = documentV2(types)
  if (!asked.test(accept)) {
    send(response, 200, document)
    return
  }
  response.writeHead(200, { 'content-type': protobuf, 'content-length': bytes.length })
  response.end(bytes)
}
