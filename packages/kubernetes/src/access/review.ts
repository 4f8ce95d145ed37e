import { CarillonError } from '@carillon/core'
import { type Client, type KubeObject, resourceTypes } from '../client/index.ts'
import { fieldsOf, textOf } from '../webhook/fields.ts'

/** Asks the API server whose a token is, and whether they may `get` a path. Rejects when it does not say. */
export async function review(
  client: Client,
  token: string,
  path: string,
  timeoutMs: number,
): Promise<'allowed' | 'unauthenticated' | 'forbidden'> {
  const who = await client.create(
    resourceTypes.tokenReviews,
    { metadata: {}, spec: { token } },
    { timeoutMs },
  )
  const { authenticated, user, error } = statusOf(who)
  if (authenticated !== true) {
    // Of an authenticator that is out of order the token may be none the less.
    if (textOf(error) !== '' && authenticated === undefined) throw unclear('TokenReview', textOf(error))
    return 'unauthenticated'
  }
  const { username, uid, groups, extra } = fieldsOf(user)
  if (textOf(username) === '') throw unclear('TokenReview', 'it names no user')
  const may = await client.create(
    resourceTypes.subjectAccessReviews,
    {
      metadata: {},
      spec: { user: username, uid, groups, extra, nonResourceAttributes: { path, verb: 'get' } },
    },
    { timeoutMs },
  )
  const { allowed, denied } = statusOf(may)
  return allowed === true && denied !== true ? 'allowed' : 'forbidden'
}

const statusOf = ({ status }: KubeObject): Readonly<Record<string, unknown>> => fieldsOf(status)

const unclear = (kind: string, why: string): CarillonError =>
  new CarillonError('API_BAD_ANSWER', `a ${kind} was not decided: ${why}`, { kind })
