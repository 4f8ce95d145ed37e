import { apiVersionOf } from '../api/object.ts'
import type { ApiType } from '../kinds/api-type.ts'
import type { TypeRegistry } from '../kinds/type-registry.ts'
import { NotServed } from './not-served.ts'

/** The release of Kubernetes whose API is served. */
export const kubernetesVersion = { major: '1', minor: '34', gitVersion: 'v1.34.0' } as const

/** `/version`. */
export const version = (): object => ({
  ...kubernetesVersion,
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2025-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'linux/amd64',
})

/** `/api`. */
export const versions = (address: string): object => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
})

const groupOf = (group: string, versions: readonly string[]) => {
  const [preferredVersion, ...others] = versions.map(one => ({
    groupVersion: apiVersionOf(group, one),
    version: one,
  }))
  return { name: group, versions: [preferredVersion, ...others], preferredVersion }
}

/** `/apis`. */
export const groups = (types: TypeRegistry): object => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: [...types.groups()].filter(([group]) => group !== '').map(([group, all]) => groupOf(group, all)),
})

/** `/apis/<group>`. @throws Refusal 404 */
export function group(types: TypeRegistry, name: string): object {
  const found = types.groups().get(name)
  if (found === undefined || name === '') throw new NotServed()
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(name, found) }
}

/** `/apis/<group>/<version>`. @throws Refusal 404 */
export function resources(types: TypeRegistry, name: string, of: string): object {
  const found = types.all().filter(type => type.group === name && type.version === of)
  if (found.length === 0) throw new NotServed()
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf(name, of),
    resources: found.flatMap(resourcesOf),
  }
}

function resourcesOf(type: ApiType): readonly object[] {
  const { plural, singular, kind, namespaced, verbs, shortNames, categories, subresources } = type
  const base = { singularName: '', namespaced, kind }
  return [
    {
      ...base,
      name: plural,
      singularName: singular,
      verbs,
      ...(shortNames.length > 0 ? { shortNames } : {}),
      ...(categories.length > 0 ? { categories } : {}),
      storageVersionHash: Buffer.from(type.collection).toString('base64').slice(0, 12),
    },
    ...subresources.map(subresource => ({
      ...base,
      ...(subresource === 'scale' ? { group: 'autoscaling', version: 'v1', kind: 'Scale' } : {}),
      name: `${plural}/${subresource}`,
      verbs: subresource === 'finalize' ? ['update'] : ['get', 'patch', 'update'],
    })),
  ]
}
