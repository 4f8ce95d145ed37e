import { CarillonError, formatEndpoint, type SpeakerEvent } from '@carillon/core'
import { get, noSpeaker } from './client.ts'
import { parseEndpoint } from './endpoint.ts'

/** What a speaker says to those who follow it. */
export type Told =
  | { readonly says: 'speaker'; readonly node: string }
  | { readonly says: 'happened'; readonly id: string; readonly event: SpeakerEvent }
  /** Nothing but that it is there. */
  | { readonly says: 'beat' }

/**
 * Hears a speaker, whose events it tells that came after `last` (the id of one; undefined: the latest), then whatever happens. Ends where the
 * speaker ends it. Throws `NO_SPEAKER`, `BAD_ANSWER`, or what else is in the way.
 */
export type Listen = (last: string | undefined, signal: AbortSignal) => AsyncIterable<Told>

/** Where a speaker tells its events. */
export const eventsPath = (last: string | undefined): string =>
  `/api/v1/stream?only=events${last === undefined ? '' : `&since=${encodeURIComponent(last)}`}`

/** Characters of one event at most: what is longer comes from something else than a speaker. */
const longest = 1 << 20

const bad = (where: string, cause?: unknown): CarillonError =>
  new CarillonError('BAD_ANSWER', `${where} does not answer as a speaker does`, { address: where }, { cause })

/** Hears the speaker that serves HTTP at this address, 7472 being the default of the port. */
export const listenAt = (http: string): Listen =>
  async function* listen(last, signal) {
    const where = formatEndpoint(parseEndpoint('--http', http, 7472))
    const { body, headers } = await get(where, eventsPath(last), signal)
    if (!body || !headers.get('content-type')?.startsWith('text/event-stream')) throw bad(where)
    try {
      yield* readEvents(body, where)
    } catch (error) {
      throw error instanceof CarillonError ? error : noSpeaker(where, error)
    }
  }

/** Reads what a speaker writes as server-sent events. Throws `BAD_ANSWER` where it is anything else; words that are not known are left out. */
export async function* readEvents(chunks: AsyncIterable<Uint8Array>, where: string): AsyncGenerator<Told> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true })
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const told = readEvent(text.slice(0, end), where)
      text = text.slice(end + 2)
      if (told) yield told
    }
    if (text.length > longest) throw bad(where)
  }
}

function readEvent(text: string, where: string): Told | undefined {
  const fields = new Map(
    text.split('\n').map(line => {
      const at = line.indexOf(':')
      return [line.slice(0, Math.max(0, at)), line.slice(at + 1).trimStart()]
    }),
  )
  const name = fields.get('event')
  if (name === undefined) return { says: 'beat' }
  let data: unknown
  try {
    data = JSON.parse(fields.get('data') ?? '')
  } catch (error) {
    throw bad(where, error)
  }
  if (typeof data !== 'object' || data === null) throw bad(where)
  if (name === 'speaker' && 'node' in data) return { says: 'speaker', node: String(data.node) }
  if (name !== 'happened') return undefined
  const complete = ['at', 'type', 'message'].every(
    field => typeof (data as Record<string, unknown>)[field] === 'string',
  )
  if (!complete) throw bad(where)
  return { says: 'happened', id: fields.get('id') ?? '', event: data as SpeakerEvent }
}
