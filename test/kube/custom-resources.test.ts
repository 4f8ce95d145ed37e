import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Json } from './support/api.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { define, served } from './support/define.ts'
import { eventually } from './support/eventually.ts'

const folder = fileURLToPath(new URL('../../deploy/crds/', import.meta.url))
const ours = readdirSync(folder)
  .filter(name => name.endsWith('.yaml'))
  .map(name => parse(readFileSync(`${folder}${name}`, 'utf8')) as Json)
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

let cluster: Cluster
let namespace: string
let widgets: string

beforeAll(async () => {
  cluster = await startCluster()
  namespace = await cluster.namespace()
  await define(cluster.api, widget())
  widgets = `/apis/example.com/v1/namespaces/${namespace}/widgets`
})
afterAll(() => cluster[Symbol.asyncDispose]())

const widgetSpec = {
  type: 'object',
  required: ['size'],
  properties: {
    size: { type: 'integer', format: 'int32', minimum: 1, maximum: 9 },
    color: { type: 'string', enum: ['red', 'blue'], default: 'red' },
    name: { type: 'string', pattern: '^[a-z]+$', minLength: 2, maxLength: 5 },
    tags: { type: 'array', minItems: 1, maxItems: 2, items: { type: 'string' } },
    limits: { type: 'object', additionalProperties: { type: 'integer' } },
    nested: { type: 'object', properties: { on: { type: 'boolean', default: true } } },
    parts: {
      type: 'array',
      maxItems: 5,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['id'],
      items: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, n: { type: 'integer' } },
      },
    },
    port: { 'x-kubernetes-int-or-string': true },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    fixed: {
      type: 'string',
      maxLength: 20,
      'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'cannot be changed' }],
    },
  },
  'x-kubernetes-validations': [
    { rule: '!has(self.name) || self.size > 2', message: 'a name needs a size above 2' },
    {
      rule: '!has(self.parts) || self.parts.all(part, !has(part.n) || part.n <= self.size)',
      messageExpression: '"no part may be larger than " + string(self.size)',
      reason: 'FieldValueForbidden',
      fieldPath: '.parts',
    },
  ],
}

const widget = (): Json => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: {
      plural: 'widgets',
      singular: 'widget',
      kind: 'Widget',
      listKind: 'WidgetList',
      shortNames: ['wd'],
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: widgetSpec,
              status: {
                type: 'object',
                properties: { ready: { type: 'boolean' }, note: { type: 'string' } },
              },
            },
          },
        },
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          { name: 'Tags', type: 'string', jsonPath: '.spec.tags' },
          { name: 'Ready', type: 'boolean', jsonPath: '.status.ready', priority: 1 },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
      },
      {
        name: 'v1beta1',
        served: true,
        storage: false,
        deprecated: true,
        deprecationWarning: 'example.com/v1beta1 Widget is deprecated',
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
          },
        },
        subresources: { status: {} },
      },
    ],
  },
})

const make = (name: string, spec: object): Json => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name },
  spec,
})

describe('a custom resource', () => {
  it('is found by discovery once it is established', async () => {
    const { conditions, acceptedNames } = (await cluster.api.get(`${definitions}/widgets.example.com`)).status
    expect(acceptedNames.kind).toBe('Widget')
    expect(conditions).toContainEqual(expect.objectContaining({ type: 'Established', status: 'True' }))
    const { groups } = await cluster.api.get('/apis')
    expect(groups.find((one: Json) => one.name === 'example.com')).toMatchObject({
      preferredVersion: { groupVersion: 'example.com/v1', version: 'v1' },
    })
    const { resources } = await cluster.api.get('/apis/example.com/v1')
    expect(resources).toContainEqual(
      expect.objectContaining({ name: 'widgets', kind: 'Widget', namespaced: true, shortNames: ['wd'] }),
    )
    expect(resources.map((one: Json) => one.name)).toContain('widgets/status')
  })

  it('is pruned and gets its defaults, where the object around them is there', async () => {
    const made = await cluster.api.post(
      widgets,
      make('pruned', { size: 3, unheardOf: 1, nested: { off: 1 }, free: { any: { thing: [1] } } }),
    )
    expect(made.spec).toEqual({ size: 3, color: 'red', nested: { on: true }, free: { any: { thing: [1] } } })
    expect(made.metadata.generation).toBe(1)
    const bare = await cluster.api.post(widgets, make('bare', { size: 3 }))
    expect(bare.spec).toEqual({ size: 3, color: 'red' })
  })

  it.each([
    ['spec', { ...make('bad', {}), spec: undefined }, 201],
    ['spec.size', make('bad', {}), 422],
    ['spec.size', make('bad', { size: 0 }), 422],
    ['spec.size', make('bad', { size: 10 }), 422],
    ['spec.size', make('bad', { size: 'big' }), 422],
    ['spec.color', make('bad', { size: 3, color: 'green' }), 422],
    ['spec.name', make('bad', { size: 3, name: 'A' }), 422],
    ['spec.name', make('bad', { size: 3, name: 'toolong' }), 422],
    ['spec.tags', make('bad', { size: 3, tags: [] }), 422],
    ['spec.tags', make('bad', { size: 3, tags: ['a', 'b', 'c'] }), 422],
    ['spec.limits.a', make('bad', { size: 3, limits: { a: 'x' } }), 422],
    ['spec.parts[1]', make('bad', { size: 3, parts: [{ id: 'a' }, { id: 'a' }] }), 422],
    ['spec.port', make('bad', { size: 3, port: true }), 422],
  ])('that is wrong at %s is refused there: %j gives %i', async (field, body, expected) => {
    const { code, body: answer } = await cluster.api.ask('POST', `${widgets}?dryRun=All`, { body })
    expect(code).toBe(expected)
    if (expected !== 422) return
    expect(answer.reason).toBe('Invalid')
    expect(answer.details).toMatchObject({ name: 'bad', group: 'example.com', kind: 'Widget' })
    expect(answer.message).toContain('Widget.example.com "bad" is invalid: ')
    expect(answer.details.causes.map((cause: Json) => cause.field)).toContain(field)
  })

  it.for([
    ['spec.tags[0]', { size: 3, tags: [1] }],
    ['spec.parts[0].id', { size: 3, parts: [{ n: 1 }] }],
  ] as const)('that is wrong at %s is refused there, with the number of the item', async (row, context) => {
    const [field, spec] = row
    // Older ones leave the number out.
    cluster.since(25, context)
    const { code, body } = await cluster.api.ask('POST', `${widgets}?dryRun=All`, { body: make('bad', spec) })
    expect(code).toBe(422)
    expect(body.details.causes.map((cause: Json) => cause.field)).toContain(field)
  })

  it('keeps the rules of its definition', async context => {
    cluster.since(25, context)
    const { code, body } = await cluster.api.ask('POST', `${widgets}?dryRun=All`, {
      body: make('bad', { size: 2, name: 'abc' }),
    })
    expect(code).toBe(422)
    expect(body.details.causes).toEqual([
      expect.objectContaining({
        field: 'spec',
        message: expect.stringContaining('a name needs a size above 2'),
      }),
    ])
  })

  it('keeps a rule about changes once there is something to compare with', async context => {
    cluster.since(25, context)
    const made = await cluster.api.post(widgets, make('fixed', { size: 3, fixed: 'a' }))
    const { code, body } = await cluster.api.ask('PUT', `${widgets}/fixed`, {
      body: { ...made, spec: { ...made.spec, fixed: 'b' } },
    })
    expect(code).toBe(422)
    expect(body.details.causes[0]).toMatchObject({
      field: 'spec.fixed',
      message: expect.stringContaining('cannot be changed'),
    })
  })

  it('is refused in the words that a rule finds for it', async context => {
    cluster.since(27, context)
    const { code, body } = await cluster.api.ask('POST', `${widgets}?dryRun=All`, {
      body: make('worded', { size: 3, parts: [{ id: 'a', n: 4 }] }),
    })
    expect(code).toBe(422)
    expect(body.details.causes).toEqual([
      {
        reason: 'FieldValueForbidden',
        field: 'spec.parts',
        message: 'Forbidden: no part may be larger than 3',
      },
    ])
  })

  it('counts changes of what is wanted, and not those of the status or the metadata', async () => {
    const made = await cluster.api.post(widgets, make('counted', { size: 3 }))
    const labelled = await cluster.api.put(`${widgets}/counted`, {
      ...made,
      metadata: { ...made.metadata, labels: { a: 'b' } },
    })
    expect(labelled.metadata.generation).toBe(1)
    const resized = await cluster.api.put(`${widgets}/counted`, { ...labelled, spec: { size: 4 } })
    expect(resized.metadata.generation).toBe(2)
    const ready = await cluster.api.put(`${widgets}/counted/status`, { ...resized, status: { ready: true } })
    expect(ready.metadata.generation).toBe(2)
  })

  it('has a status of its own, that only its subresource writes, and nothing else with it', async () => {
    const body = { ...make('status', { size: 3 }), status: { ready: true } }
    const made = await cluster.api.post(widgets, body)
    expect(made).not.toHaveProperty('status')
    const changed = await cluster.api.put(`${widgets}/status/status`, {
      ...made,
      metadata: { ...made.metadata, labels: { no: 'no' }, annotations: { no: 'no' } },
      spec: { size: 5 },
      status: { ready: true },
    })
    expect([changed.spec.size, changed.status]).toEqual([3, { ready: true }])
    expect(changed.metadata).not.toHaveProperty('labels')
    expect(changed.metadata).not.toHaveProperty('annotations')
    const kept = await cluster.api.put(`${widgets}/status`, { ...changed, status: { ready: false } })
    expect(kept.status).toEqual({ ready: true })
  })

  it('cannot be replaced by who has not read it', async () => {
    await cluster.api.post(widgets, make('unread', { size: 3 }))
    const { code, body } = await cluster.api.ask('PUT', `${widgets}/unread`, {
      body: make('unread', { size: 4 }),
    })
    expect(code).toBe(422)
    expect(body.message).toContain('metadata.resourceVersion: Invalid value')
  })

  it('says its kind in every item of a list', async () => {
    await cluster.api.post(widgets, make('listed', { size: 3 }))
    const list = await cluster.api.get(widgets)
    expect(list).toMatchObject({ kind: 'WidgetList', apiVersion: 'example.com/v1' })
    expect(list.items[0]).toMatchObject({ kind: 'Widget', apiVersion: 'example.com/v1' })
  })

  it('is served in every version, with a warning for one that is deprecated', async () => {
    await cluster.api.post(widgets, make('versions', { size: 3, tags: ['a'] }))
    const old = await cluster.api.ask('GET', `${widgets.replace('/v1/', '/v1beta1/')}/versions`)
    expect(old.body).toMatchObject({ apiVersion: 'example.com/v1beta1', spec: { size: 3 } })
    expect(old.headers.warning).toContain('example.com/v1beta1 Widget is deprecated')
    const watch = await cluster.api.watch(
      `${widgets.replace('/v1/', '/v1beta1/')}?fieldSelector=metadata.name%3Dversions`,
    )
    expect((await watch.next())?.object.apiVersion).toBe('example.com/v1beta1')
    watch.close()
  })

  it('is printed in the columns of its definition', async () => {
    await cluster.api.post(widgets, make('printed', { size: 3, tags: ['a', 'b'] }))
    const { body } = await cluster.api.ask('GET', `${widgets}/printed`, {
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
    })
    expect(body.kind).toBe('Table')
    expect(body.columnDefinitions.map((one: Json) => `${one.name} ${one.type} ${one.priority}`)).toEqual([
      'Name string 0',
      'Size integer 0',
      'Tags string 0',
      'Ready boolean 1',
      'Age date 0',
    ])
    expect(body.rows[0].cells.slice(0, 4)).toEqual(['printed', 3, '["a","b"]', null])
    expect(body.rows[0].cells[4]).toMatch(/^\d+s$/)
    expect(body.rows[0].object).toMatchObject({
      kind: 'PartialObjectMetadata',
      metadata: { name: 'printed' },
    })
  })
})

describe('a definition', () => {
  const broken = (change: (definition: Json) => void): Json => {
    const definition = structuredClone(widget())
    definition.metadata.name = 'gadgets.example.com'
    Object.assign(definition.spec.names, {
      plural: 'gadgets',
      singular: 'gadget',
      kind: 'Gadget',
      listKind: 'GadgetList',
    })
    definition.spec.names.shortNames = []
    change(definition)
    return definition
  }
  const spec = (definition: Json): Json => definition.spec.versions[0].schema.openAPIV3Schema.properties.spec

  it.each<[string, (definition: Json) => void]>([
    ['has another name than its resource', one => (one.metadata.name = 'other.example.com')],
    ['stores no version', one => (one.spec.versions[0].storage = false)],
    ['stores two versions', one => (one.spec.versions[1].storage = true)],
    ['has no schema', one => delete one.spec.versions[0].schema],
    ['has a field without a type', one => delete spec(one).properties.size.type],
    ['has a field of no known type', one => (spec(one).properties.size.type = 'decimal')],
    ['has a list without items', one => delete spec(one).properties.tags.items],
    [
      'mixes properties with additionalProperties',
      one => (spec(one).additionalProperties = { type: 'string' }),
    ],
    ['has a default that is not valid', one => (spec(one).properties.color.default = 'green')],
    ['has a map list whose key is not required', one => delete spec(one).properties.parts.items.required],
    ['has a pattern that is none', one => (spec(one).properties.name.pattern = '(')],
    ['asks for unique items', one => (spec(one).properties.tags.uniqueItems = true)],
    [
      'has a column of no known type',
      one => (one.spec.versions[0].additionalPrinterColumns[0].type = 'text'),
    ],
    [
      'has a column without a path',
      one => (one.spec.versions[0].additionalPrinterColumns[0].jsonPath = 'spec.size'),
    ],
    ['converts by a webhook that is nowhere', one => (one.spec.conversion = { strategy: 'Webhook' })],
  ])('that %s is refused', async (_what, change) => {
    const body = broken(change)
    const { code, body: answer } = await cluster.api.ask('POST', `${definitions}?dryRun=All`, { body })
    expect([code, answer.reason]).toEqual([422, 'Invalid'])
  })

  it.for([
    ['cannot be read', 'self.size >'],
    ['asks for a field that is not there', 'self.length > 2'],
    ['is no yes or no', 'self.size'],
  ])('with a rule that %s is refused', async ([, rule], context) => {
    cluster.since(25, context)
    const body = broken(one => {
      spec(one)['x-kubernetes-validations'][0].rule = rule
    })
    const { code, body: answer } = await cluster.api.ask('POST', `${definitions}?dryRun=All`, { body })
    expect([code, answer.reason]).toEqual([422, 'Invalid'])
  })

  it.each(ours.map(one => [one.metadata.name, one] as const))(
    '%s of ours is taken as it is',
    async (_name, body) => {
      const made = await cluster.api.ask('POST', `${definitions}?fieldValidation=Strict`, { body })
      expect([made.code, made.body.message]).toEqual([201, undefined])
      expect(made.headers.warning).toBeUndefined()
      await served(cluster.api, body)
    },
  )

  it('that goes takes its objects along, and ends their watches', async () => {
    const body = broken(() => {})
    await define(cluster.api, body)
    const gadgets = widgets.replace('widgets', 'gadgets')
    await cluster.api.post(gadgets, { ...make('a', { size: 3 }), kind: 'Gadget' })
    const watch = await cluster.api.watch(gadgets)
    await cluster.api.delete(`${definitions}/gadgets.example.com`)
    expect(await watch.take(3)).toEqual(['ADDED a', 'DELETED a'])
    for (const path of [`${definitions}/gadgets.example.com`, gadgets])
      await eventually(
        async () => (await cluster.api.ask('GET', path)).code,
        code => code === 404,
      )
    await define(cluster.api, body)
    expect((await cluster.api.get(gadgets)).items).toEqual([])
  })
})
