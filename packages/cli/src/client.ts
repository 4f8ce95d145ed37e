import { CarillonError, type Endpoint, formatEndpoint, type SpeakerStatus } from '@carillon/core'
import { parseEndpoint } from './endpoint.ts'

/** Asks a speaker for its status, of all Services or only of those that `of` means. Throws `NO_SPEAKER` or `BAD_ANSWER`. */
export type Ask = (of?: string) => Promise<SpeakerStatus>

/** Asks the speaker that serves HTTP at this address, 7472 being the default of the port. The address is looked at when it is needed. */
export const speakerAt =
  (http: string): Ask =>
  of =>
    fetchStatus(parseEndpoint('--http', http, 7472), of)

/** Where a speaker answers, with the Services that are asked for. */
export const statusPath = (of: string | undefined): string =>
  of === undefined ? '/api/v1/status' : `/api/v1/status?of=${encodeURIComponent(of)}`

/** Asks a running speaker for its status, of all Services or only of those that `of` means. Throws `NO_SPEAKER` or `BAD_ANSWER`. */
export async function fetchStatus(at: Endpoint, of?: string): Promise<SpeakerStatus> {
  const where = formatEndpoint(at)
  const response = await get(where, statusPath(of), AbortSignal.timeout(5000))
  try {
    return (await response.json()) as SpeakerStatus
  } catch (error) {
    throw new CarillonError(
      'BAD_ANSWER',
      `${where} does not answer as a speaker does`,
      { address: where },
      { cause: error },
    )
  }
}

/** Gets a path of a speaker. Throws `NO_SPEAKER`, or `BAD_ANSWER` where the answer is a refusal. */
export async function get(where: string, path: string, signal: AbortSignal): Promise<Response> {
  let response: Response
  try {
    response = await fetch(`http://${where}${path}`, { signal })
  } catch (error) {
    throw noSpeaker(where, error)
  }
  if (response.ok) return response
  await response.body?.cancel()
  throw new CarillonError(
    'BAD_ANSWER',
    `${where} answers with HTTP status ${response.status}: is that a speaker?`,
    { address: where },
  )
}

/** Nobody answers there, or no longer. */
export const noSpeaker = (where: string, cause: unknown): CarillonError =>
  new CarillonError(
    'NO_SPEAKER',
    `no speaker answers at ${where}: start one with "carillon run", or name its address with --http`,
    { address: where },
    { cause },
  )
