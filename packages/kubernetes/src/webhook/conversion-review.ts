import { bgpPeerToV1beta1, bgpPeerToV1beta2 } from '@carillon/core'
import { type Fields, fieldsOf, isFields, textOf } from './fields.ts'
import { badReview, readReview } from './review.ts'

const [group, reviewKind] = ['apiextensions.k8s.io', 'ConversionReview'] as const

/** Objects that are to be turned into another version. */
export interface ConversionQuestion {
  readonly uid: string
  readonly desiredVersion: string
  readonly objects: readonly unknown[]
}

/** What came of them: all, in their order; or why it cannot be done, for each that failed. */
export type Converted = { readonly objects: readonly Fields[] } | { readonly failures: readonly string[] }

/** Reads a ConversionReview. Throws `BAD_REVIEW`. */
export function readConversionReview(text: string): ConversionQuestion {
  const { request, uid } = readReview(text, group, reviewKind)
  const { objects } = request
  if (!Array.isArray(objects)) throw badReview('the ConversionReview has no list of objects')
  return { uid, desiredVersion: textOf(request.desiredAPIVersion), objects }
}

const conversions: Readonly<Record<string, (object: Fields) => Fields>> = {
  'metallb.io/v1beta1': bgpPeerToV1beta1,
  'metallb.io/v1beta2': bgpPeerToV1beta2,
}

const versions = Object.keys(conversions)

/** Converts BGPPeers to the version that is asked for. The API takes all of them or none. */
export function converted({ desiredVersion, objects }: ConversionQuestion): Converted {
  const convert = Object.hasOwn(conversions, desiredVersion) ? conversions[desiredVersion] : undefined
  if (!convert)
    return {
      failures: [`cannot convert to ${desiredVersion || 'no version'}: there are ${versions.join(' and ')}`],
    }
  const failures: string[] = []
  const done = objects.flatMap((object, index) => {
    const why = objection(object)
    if (why === undefined) {
      const from = object as Fields
      return [from.apiVersion === desiredVersion ? from : convert(from)]
    }
    failures.push(`${nameOf(object, index)}: ${why}`)
    return []
  })
  return failures.length > 0 ? { failures } : { objects: done }
}

/** Why an object cannot be converted. */
function objection(object: unknown): string | undefined {
  if (!isFields(object)) return 'it is no object'
  const [version, kind] = [textOf(object.apiVersion), textOf(object.kind)]
  if (kind !== 'BGPPeer' || !versions.includes(version))
    return `there is no conversion from ${`${version} ${kind}`.trim() || 'an object without kind'}`
  return undefined
}

function nameOf(object: unknown, index: number): string {
  const { name, namespace } = fieldsOf(fieldsOf(object).metadata)
  const known = [textOf(namespace), textOf(name)].filter(text => text !== '').join('/')
  return known === '' ? `objects[${index}]` : known
}

/** The answer, as the API server takes it. */
export function conversionAnswer(uid: string, result: Converted): object {
  const failed = 'failures' in result
  return {
    apiVersion: `${group}/v1`,
    kind: reviewKind,
    response: {
      uid,
      result: failed ? { status: 'Failure', message: result.failures.join('\n') } : { status: 'Success' },
      convertedObjects: failed ? [] : result.objects,
    },
  }
}
