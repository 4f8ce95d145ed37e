import { fieldsOf, isFields, textOf } from './fields.ts'
import { type Change, problemLine, type Verdict } from './judge.ts'
import type { ConfigKind } from './kinds.ts'
import { badReview, readReview } from './review.ts'

const [group, reviewKind] = ['admission.k8s.io', 'AdmissionReview'] as const

/** What the API server asks before it stores something. */
export interface AdmissionQuestion {
  readonly uid: string
  /** Absent where it is no change of an object's content: a subresource, a connection. */
  readonly change?: Change
  /** Who wants it. */
  readonly user: string
}

const operations: ReadonlySet<string> = new Set(['CREATE', 'UPDATE', 'DELETE'])

/** Reads an AdmissionReview about objects of a kind. Throws `BAD_REVIEW`. */
export function readAdmissionReview(text: string, kind: ConfigKind): AdmissionQuestion {
  const { request, uid } = readReview(text, group, reviewKind)
  const user = textOf(fieldsOf(request.userInfo).username)
  const asked = textOf(fieldsOf(request.kind).kind)
  if (asked !== kind)
    throw badReview(`this is the webhook for ${kind}, and the request is about ${asked || 'nothing'}`)
  const operation = textOf(request.operation)
  if (!operations.has(operation) || textOf(request.subResource) !== '') return { uid, user }
  const { object } = request
  if (operation !== 'DELETE' && !isFields(object)) throw badReview(`${operation} of ${kind} has no object`)
  const metadata = fieldsOf(fieldsOf(object).metadata)
  const name = textOf(metadata.name) || textOf(request.name) || `${textOf(metadata.generateName)}new`
  return {
    uid,
    user,
    change: {
      operation: operation as Change['operation'],
      kind,
      name,
      namespace: textOf(request.namespace) || textOf(metadata.namespace),
      ...(operation === 'DELETE' ? {} : { object }),
    },
  }
}

/** Kubernetes cuts warnings off when all of them are longer than this, in characters. */
const [maxWarning, maxWarnings] = [256, 4096]

/** As many warnings as Kubernetes passes on, and how many were left out. */
function fitting(warnings: readonly string[]): readonly string[] {
  const shown: string[] = []
  let left = maxWarnings - maxWarning
  for (const warning of warnings) {
    const text = warning.length > maxWarning ? `${warning.slice(0, maxWarning - 1)}…` : warning
    left -= text.length
    if (left < 0) return [...shown, `and ${warnings.length - shown.length} more warnings`]
    shown.push(text)
  }
  return shown
}

/** The most problems that a refusal lists. */
const maxProblems = 20

/** The answer to a question, as the API server takes it. */
export function admissionAnswer(uid: string, { allowed, problems, warnings }: Verdict): object {
  const lines = problems.slice(0, maxProblems).map(problemLine)
  const more = problems.length > lines.length ? [`and ${problems.length - lines.length} more problems`] : []
  return {
    apiVersion: `${group}/v1`,
    kind: reviewKind,
    response: {
      uid,
      allowed,
      ...(allowed
        ? {}
        : { status: { code: 403, reason: 'Forbidden', message: [...lines, ...more].join('\n') } }),
      ...(warnings.length === 0 ? {} : { warnings: fitting(warnings) }),
    },
  }
}
