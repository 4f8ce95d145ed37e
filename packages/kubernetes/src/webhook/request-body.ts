import { Buffer } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Clock } from '@carillon/core'

/** What came of receiving a body. */
export type ReceivedBody =
  | { readonly text: string }
  | { readonly failed: 'too-large' | 'too-slow' | 'broken-off' }

/** How much is received, and for how long. */
export interface BodyLimits {
  readonly maxBytes: number
  /** Milliseconds */
  readonly timeoutMs: number
  readonly clock: Clock
}

/** Receives the body of a request, within limits. Never rejects. */
export function receiveBody(request: IncomingMessage, limits: BodyLimits): Promise<ReceivedBody> {
  const { maxBytes, timeoutMs, clock } = limits
  return new Promise(resolve => {
    const chunks: Buffer[] = []
    let size = 0
    const end = (received: ReceivedBody): void => {
      cancel()
      request.removeAllListeners('data')
      // What is still to come is of no interest.
      request.resume()
      resolve(received)
    }
    const cancel = clock.after(timeoutMs, () => end({ failed: 'too-slow' }))
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) end({ failed: 'too-large' })
      else chunks.push(chunk)
    })
    request.on('end', () => end({ text: Buffer.concat(chunks).toString('utf8') }))
    request.on('error', () => end({ failed: 'broken-off' }))
    request.on('close', () => end({ failed: 'broken-off' }))
  })
}
