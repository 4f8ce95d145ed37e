import { notSupported } from '../api/field-error.ts'
import { isFields } from '../api/object.ts'
import { badRequest, invalid } from '../api/status.ts'
import type { DeleteOptions } from '../registry/remove.ts'
import { modelSchema } from '../schema/builtin.ts'
import { Decoder } from '../schema/decode.ts'
import { mediaType, parseObject, readBody } from './body.ts'
import { whole } from './query.ts'
import type { ResourceRequest } from './resource-request.ts'

const schema = modelSchema('V1DeleteOptions')
const policies = ['Background', 'Foreground', 'Orphan']

/** How a deletion is meant: from the body, or from the query. @throws Refusal 400, 422 */
export async function deleteOptions({ request, query }: ResourceRequest): Promise<DeleteOptions> {
  const text = await readBody(request)
  const body = text.length === 0 ? {} : parseObject(text, mediaType(request))
  if (!isFields(body)) throw badRequest('the body is not a DeleteOptions')
  const decoder = new Decoder()
  decoder.decode(schema, body)
  const [problem] = decoder.problems
  if (problem !== undefined)
    throw badRequest(`DeleteOptions: ${problem.path}: cannot read ${problem.found} as ${problem.expected}`)
  const gracePeriodSeconds = whole(query, 'gracePeriodSeconds')
  const propagationPolicy = query.get('propagationPolicy')
  const options = {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === null ? {} : { propagationPolicy }),
    ...body,
  } as DeleteOptions
  const { propagationPolicy: policy, gracePeriodSeconds: seconds = 0 } = options
  if (policy !== undefined && !policies.includes(policy))
    throw invalid({ group: 'meta.k8s.io', name: 'DeleteOptions' }, '', [
      notSupported('propagationPolicy', policy, [...policies, 'nil']),
    ])
  if (seconds < 0 || seconds > 2 ** 31)
    throw badRequest(`gracePeriodSeconds: ${seconds} is no number of seconds`)
  return options
}
