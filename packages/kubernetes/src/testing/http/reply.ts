import type { ServerResponse } from 'node:http'
import { stringify } from 'yaml'
import type { Status } from '../api/status.ts'
import type { Accepted } from './accept.ts'

/** Sends text that is JSON already. */
export function sendJson(response: ServerResponse, code: number, json: string): void {
  response.writeHead(code, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(json),
  })
  response.end(json)
}

/** Sends a value in the format that the client takes. */
export function send(
  response: ServerResponse,
  code: number,
  value: unknown,
  format: Accepted['format'] = 'json',
): void {
  if (format === 'json') {
    sendJson(response, code, JSON.stringify(value))
    return
  }
  const text = stringify(value)
  response.writeHead(code, { 'content-type': 'application/yaml', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

/** Sends plain text. */
export function sendText(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(text)
}

/** Sends a refusal, with when to come back if it says so. */
export function sendStatus(response: ServerResponse, status: Status): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const retry = status.details?.retryAfterSeconds
  if (retry !== undefined) response.setHeader('retry-after', String(retry))
  send(response, status.code ?? 500, status)
}
