import type { Api, Json } from './api.ts'
import { eventually } from './eventually.ts'

/** Makes a custom resource, and waits until every version of it is served. */
export async function define(api: Api, definition: Json): Promise<void> {
  await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition)
  await served(api, definition)
}

/** Waits until every version of a custom resource is served. */
export async function served(api: Api, { spec: { group, versions, names } }: Json): Promise<void> {
  for (const { name } of versions)
    await eventually(
      async () => (await api.ask('GET', `/apis/${group}/${name}/${names.plural}`)).code,
      code => code === 200,
    )
}
