import { kubernetesVersion } from '../http/discovery.ts'
import { NotServed } from '../http/not-served.ts'
import type { ApiType } from '../kinds/api-type.ts'
import { definitions } from './definitions.ts'
import { paths } from './paths.ts'

const pathOf = (group: string, version: string): string =>
  group === '' ? `api/${version}` : `apis/${group}/${version}`

/** `/openapi/v3`: where the documents are. */
export function documentsV3(types: readonly ApiType[]): object {
  const all = [...new Set(types.map(({ group, version }) => pathOf(group, version)))]
  return { paths: Object.fromEntries(all.map(path => [path, { serverRelativeURL: `/openapi/v3/${path}` }])) }
}

/** `/openapi/v3/<path>`: one group in one version. @throws Refusal 404 */
export function documentV3(types: readonly ApiType[], path: string): object {
  const own = types.filter(({ group, version }) => pathOf(group, version) === path)
  if (own.length === 0) throw new NotServed()
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: kubernetesVersion.gitVersion },
    paths: paths(own, name => ({ name, in: 'query', schema: { type: 'string' } })),
    components: { schemas: definitions(own, '#/components/schemas/') },
  }
}
