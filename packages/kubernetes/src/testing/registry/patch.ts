import { clone } from '../api/clone.ts'
import { isFields, type KubeObject } from '../api/object.ts'
import { conflict, notFound, Refusal, unsupportedMediaType } from '../api/status.ts'
import { resourceOf } from '../kinds/api-type.ts'
import { jsonPatch } from '../patch/json-patch.ts'
import { mergePatch } from '../patch/merge-patch.ts'
import { strategicPatch } from '../patch/strategic-patch.ts'
import type { Call } from './call.ts'
import { checkPlace, placeIn } from './create.ts'
import { decode } from './decode.ts'
import { collectionOf, inVersion, type Machinery } from './machinery.ts'
import { replace } from './update.ts'

/** The ways to describe a change that work on what is there. */
export type PatchKind = 'json' | 'merge' | 'strategic'

const attempts = 5

/** Changes an object as a patch says. A conflict with somebody else's write is tried again on top of it. @throws Refusal */
export async function patch(
  machinery: Machinery,
  call: Call,
  kind: PatchKind,
  body: unknown,
): Promise<KubeObject> {
  const { type, namespace, name } = call
  if (kind === 'strategic' && type.custom !== undefined)
    throw unsupportedMediaType('application/strategic-merge-patch+json', [
      'application/json-patch+json',
      'application/merge-patch+json',
      'application/apply-patch+yaml',
    ])
  for (let attempt = 1; ; attempt++) {
    const stored = collectionOf(machinery, type).get(namespace, name)
    if (stored === undefined) throw notFound(resourceOf(type), name)
    const [old] = (await inVersion(machinery, type, [stored])) as [KubeObject]
    const object = decode(call, patched(call, kind, clone(old), body))
    checkPlace(object, namespace, name)
    placeIn(object, namespace, name)
    // Who names a version means that one, and none that came later.
    if (object.metadata.resourceVersion !== old.metadata.resourceVersion && namesVersion(body))
      throw conflict(resourceOf(type), name)
    try {
      return await replace(machinery, call, object, stored)
    } catch (error) {
      const moved = collectionOf(machinery, type).get(namespace, name) !== stored
      if (!(error instanceof Refusal) || error.status.reason !== 'Conflict' || !moved || attempt === attempts)
        throw error
    }
  }
}

function patched({ type }: Call, kind: PatchKind, object: KubeObject, body: unknown): unknown {
  switch (kind) {
    case 'json':
      return jsonPatch(object, body)
    case 'merge':
      return mergePatch(object, body)
    case 'strategic':
      return strategicPatch(type.schema, object, body)
  }
}

const namesVersion = (body: unknown): boolean =>
  isFields(body) && isFields(body.metadata) && body.metadata.resourceVersion !== undefined
