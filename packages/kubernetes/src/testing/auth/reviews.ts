import { type Fields, fieldsOf, type KubeObject, listOf } from '../api/object.ts'
import { badRequest } from '../api/status.ts'
import type { Row } from '../kinds/builtin/rows.ts'
import { plainStrategy } from '../kinds/strategy.ts'
import type { User } from '../registry/call.ts'
import type { Authenticator } from './authenticator.ts'
import type { Action, Authorizer } from './authorizer.ts'

/** Answers a question that is asked by creating an object, which is not kept. */
type Answer = (object: KubeObject, user: User) => KubeObject

const userInfo = ({ name, groups, uid }: User): Fields => ({
  username: name,
  groups,
  ...(uid === undefined ? {} : { uid }),
})

/** An action as reviews describe it. */
function actionOf(spec: Fields): Action {
  if (spec.nonResourceAttributes !== undefined) {
    const { path = '', verb = '' } = fieldsOf(spec.nonResourceAttributes) as Record<string, string>
    return { path, verb }
  }
  const attributes = fieldsOf(spec.resourceAttributes) as Record<string, string | undefined>
  const { group = '', resource = '', subresource, namespace, verb = '', name = '' } = attributes
  return {
    group,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace: namespace === '' ? undefined : namespace,
    verb,
    name,
  }
}

/** The questions about who somebody is and may do, and their answers. */
export function reviewRows(authenticator: Authenticator, authorizer: Authorizer): readonly Row[] {
  const decide = (object: KubeObject, user: User): KubeObject => ({
    ...object,
    status: { allowed: authorizer.allows(user, actionOf(fieldsOf(object.spec))) },
  })
  const named = (object: KubeObject): User => {
    const { user = '', groups } = fieldsOf(object.spec)
    return { name: String(user), groups: listOf(groups).map(String) }
  }
  const row = (group: string, kind: string, plural: string, answer: Answer, cluster = true): Row => ({
    group,
    version: 'v1',
    kind,
    plural,
    model: `V1${kind}`,
    strategy: { ...plainStrategy, name: () => undefined },
    cluster,
    answer,
  })
  return [
    row('authentication.k8s.io', 'TokenReview', 'tokenreviews', object => {
      const user = authenticator.ofToken(String(fieldsOf(object.spec).token ?? ''))
      const status =
        user === undefined ? { authenticated: false } : { authenticated: true, user: userInfo(user) }
      return { ...object, status }
    }),
    row('authentication.k8s.io', 'SelfSubjectReview', 'selfsubjectreviews', (object, user) => ({
      ...object,
      status: { userInfo: userInfo(user) },
    })),
    row('authorization.k8s.io', 'SelfSubjectAccessReview', 'selfsubjectaccessreviews', decide),
    row('authorization.k8s.io', 'SubjectAccessReview', 'subjectaccessreviews', object =>
      decide(object, named(object)),
    ),
    row(
      'authorization.k8s.io',
      'LocalSubjectAccessReview',
      'localsubjectaccessreviews',
      object => decide(object, named(object)),
      false,
    ),
    row('authorization.k8s.io', 'SelfSubjectRulesReview', 'selfsubjectrulesreviews', (object, user) => {
      const { namespace } = fieldsOf(object.spec)
      if (typeof namespace !== 'string' || namespace === '') throw badRequest('no namespace on request')
      const rules = authorizer.rules(user, namespace)
      const all = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }
      const resourceRules = user.groups.includes('system:masters')
        ? [all]
        : rules.filter(rule => rule.resources)
      return {
        ...object,
        status: {
          resourceRules,
          nonResourceRules: rules.filter(rule => rule.nonResourceURLs),
          incomplete: false,
        },
      }
    }),
  ]
}
