import { CarillonError } from '@carillon/core'
import { type Fields, fieldsOf, isFields, textOf } from './fields.ts'

/** What the API server asks, and what tells its questions apart. */
export interface Question {
  readonly request: Fields
  readonly uid: string
}

/** An error about a review that cannot be read. */
export const badReview = (why: string): CarillonError => new CarillonError('BAD_REVIEW', why)

/** Reads the envelope of a review, `kind` in the version v1 of its group. Throws `BAD_REVIEW`. */
export function readReview(text: string, group: string, kind: string): Question {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    throw badReview(`the body is not JSON: ${(error as Error).message}`)
  }
  if (!isFields(body)) throw badReview(`the body is no object: ${kind} of ${group}/v1 is expected here`)
  if (body.kind !== kind || body.apiVersion !== `${group}/v1`) {
    const is = `${textOf(body.apiVersion)} ${textOf(body.kind)}`.trim().slice(0, 100) || 'without kind'
    throw badReview(`the body is ${is}: ${kind} of ${group}/v1 is expected here`)
  }
  const request = fieldsOf(body.request)
  const uid = textOf(request.uid)
  if (uid === '') throw badReview(`the ${kind} has no request with a uid`)
  return { request, uid }
}
