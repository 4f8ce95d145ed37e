import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { tryParseDuration } from '../duration.ts'
import { parseResource } from '../parse.ts'
import { structures } from '../structures.generated.ts'

/** An OpenAPI schema as it stands in a CRD. */
interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema
  readonly items?: Schema
  readonly required?: readonly string[]
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly format?: string
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message: string }[]
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
}

interface Version {
  readonly name: string
  readonly served: boolean
  readonly storage: boolean
  readonly deprecated?: boolean
  readonly deprecationWarning?: string
  readonly additionalPrinterColumns?: readonly Readonly<Record<string, unknown>>[]
  readonly schema: { readonly openAPIV3Schema: Schema }
  readonly subresources: unknown
}

interface Crd {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly group: string
    readonly scope: string
    readonly names: Readonly<Record<string, string>>
    readonly conversion?: unknown
    readonly versions: readonly Version[]
  }
}

const folder = fileURLToPath(new URL('../../../../../deploy/crds/', import.meta.url))
const crds = new Map<string, Crd>(
  readdirSync(folder)
    .filter(name => name.endsWith('.yaml'))
    .map(name => [name, parse(readFileSync(`${folder}${name}`, 'utf8')) as Crd]),
)
const versions = [...crds].flatMap(([, crd]) => crd.spec.versions.map(version => ({ crd, version })))

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every schema within a schema, with its path. */
function* within(schema: Schema, path = ''): Generator<readonly [string, Schema]> {
  yield [path, schema]
  for (const [name, field] of Object.entries(schema.properties ?? {})) yield* within(field, `${path}.${name}`)
  if (schema.items) yield* within(schema.items, `${path}[]`)
  if (schema.additionalProperties) yield* within(schema.additionalProperties, `${path}{}`)
}

/** What each CEL rule of the CRDs says, put down a second time; a rule that is not here fails the test. */
const cel: Readonly<Record<string, (self: unknown) => boolean>> = {
  'self == oldSelf': () => true,
  'duration(self).getSeconds() >= 1 && duration(self).getSeconds() <= 65535': self => {
    const ms = tryParseDuration(self as string)
    return ms !== undefined && Math.trunc(ms / 1000) >= 1 && Math.trunc(ms / 1000) <= 65535
  },
  'duration(self).getMilliseconds() % 1000 == 0': self => {
    const ms = tryParseDuration(self as string)
    return ms !== undefined && Math.trunc(ms) % 1000 === 0
  },
  '!has(self.serviceSelectors) || size(self.serviceSelectors) == 0 || ((!has(self.aggregationLength) || self.aggregationLength == 32) && (!has(self.aggregationLengthV6) || self.aggregationLengthV6 == 128))':
    self => {
      const spec = self as Record<string, unknown>
      const selectors = (spec.serviceSelectors ?? []) as unknown[]
      return selectors.length === 0 || (spec.aggregationLength === 32 && spec.aggregationLengthV6 === 128)
    },
}

/** The API server, as far as it matters here: prune, default, validate. Gives whether the value is admitted. */
function admits(schema: Schema, value: unknown): boolean {
  switch (schema.type) {
    case 'string': {
      if (typeof value !== 'string') return false
      if (schema.enum && !schema.enum.includes(value)) return false
      if (value.length < (schema.minLength ?? 0) || value.length > (schema.maxLength ?? value.length))
        return false
      if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value)) return false
      break
    }
    case 'integer': {
      if (!Number.isInteger(value)) return false
      if (
        (value as number) < (schema.minimum ?? -Infinity) ||
        (value as number) > (schema.maximum ?? Infinity)
      )
        return false
      break
    }
    case 'boolean':
      if (typeof value !== 'boolean') return false
      break
    case 'array':
      if (!Array.isArray(value) || value.length < (schema.minItems ?? 0)) return false
      if (!value.every(item => admits(schema.items as Schema, item))) return false
      break
    default: {
      if (!isObject(value)) return false
      const { properties = {}, additionalProperties, required = [] } = schema
      if (additionalProperties && !Object.values(value).every(item => admits(additionalProperties, item)))
        return false
      for (const [name, field] of Object.entries(properties)) {
        if (value[name] === null) delete value[name]
        if (field.default !== undefined && !(name in value)) value[name] = field.default
        if (!(name in value)) {
          if (required.includes(name)) return false
        } else if (!admits(field, value[name])) return false
      }
    }
  }
  return (schema['x-kubernetes-validations'] ?? []).every(({ rule }) => {
    const holds = cel[rule]
    if (!holds) throw new Error(`no such rule: ${rule}`)
    return holds(value)
  })
}

/** Whether the API server would take a document. */
function accepted(text: string): boolean {
  const object = parse(text) as { readonly apiVersion: string; readonly kind: string }
  const found = versions.find(
    ({ crd, version }) =>
      object.kind === crd.spec.names.kind && object.apiVersion === `${crd.spec.group}/${version.name}`,
  )
  if (!found) throw new Error(`no CRD for ${object.apiVersion} ${object.kind}`)
  return admits(found.version.schema.openAPIV3Schema, structuredClone(object))
}

/** Whether Carillon can use a document. */
const usable = (text: string): boolean => parseResource(parse(text))?.resource !== undefined

const manifest = (kind: string, spec: string, version = 'v1beta1'): string =>
  `{ apiVersion: metallb.io/${version}, kind: ${kind}, metadata: { name: first }, spec: ${spec} }`

describe('a CRD', () => {
  it('is there for every kind of MetalLB, and for our own', () => {
    const kinds = [...crds.values()].map(({ spec }) => [
      spec.names.kind,
      spec.versions.map(({ name }) => name),
    ])
    expect(kinds).toEqual([
      ['BGPSessionState', ['v1alpha1']],
      ['BFDProfile', ['v1beta1']],
      ['BGPAdvertisement', ['v1beta1']],
      ['BGPPeer', ['v1beta1', 'v1beta2']],
      ['Community', ['v1beta1']],
      ['ConfigurationState', ['v1beta1']],
      ['IPAddressPool', ['v1beta1']],
      ['L2Advertisement', ['v1beta1']],
      ['ServiceBGPStatus', ['v1beta1']],
      ['ServiceL2Status', ['v1beta1']],
    ])
  })

  it.each([...crds])('%s is named as Kubernetes wants it, and stores one version', (file, crd) => {
    const { names, group, scope, versions } = crd.spec
    expect(crd).toMatchObject({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' })
    expect(scope).toBe('Namespaced')
    expect(crd.metadata.name).toBe(`${names.plural}.${group}`)
    expect(file).toBe(`${group}_${names.plural}.yaml`)
    expect(names.listKind).toBe(`${names.kind}List`)
    expect(names.singular).toBe(names.kind?.toLowerCase())
    expect(versions.filter(({ storage }) => storage)).toHaveLength(1)
    for (const { served, subresources } of versions) {
      expect(served).toBe(true)
      expect(subresources).toEqual({ status: {} })
    }
  })

  it('shows the columns that users of MetalLB know', () => {
    const columns = (plural: string) =>
      crds
        .get(`metallb.io_${plural}.yaml`)
        ?.spec.versions.map(version =>
          (version.additionalPrinterColumns ?? []).map(
            ({ name, type, jsonPath, priority = 0 }) => `${name} ${type} ${jsonPath} ${priority}`,
          ),
        )
    const selection = [
      'IPAddressPools string .spec.ipAddressPools 0',
      'IPAddressPool Selectors string .spec.ipAddressPoolSelectors 0',
    ]
    const nodes = 'Node Selectors string .spec.nodeSelectors 10'
    const service = [
      'Service Name string .status.serviceName 0',
      'Service Namespace string .status.serviceNamespace 0',
    ]
    const peer = [
      'Address string .spec.peerAddress 0',
      'ASN string .spec.peerASN 0',
      'BFD Profile string .spec.bfdProfile 0',
      'Multi Hops string .spec.ebgpMultiHop 0',
    ]
    expect(columns('ipaddresspools')).toEqual([
      [
        'Auto Assign boolean .spec.autoAssign 0',
        'Avoid Buggy IPs boolean .spec.avoidBuggyIPs 0',
        'Addresses string .spec.addresses 0',
      ],
    ])
    expect(columns('l2advertisements')).toEqual([
      [...selection, 'Interfaces string .spec.interfaces 0', nodes],
    ])
    expect(columns('bgpadvertisements')).toEqual([[...selection, 'Peers string .spec.peers 0', nodes]])
    expect(columns('bgppeers')).toEqual([peer, peer])
    expect(columns('bfdprofiles')).toEqual([
      [
        'Passive Mode boolean .spec.passiveMode 0',
        'Transmit Interval integer .spec.transmitInterval 0',
        'Receive Interval integer .spec.receiveInterval 0',
        'Multiplier integer .spec.detectMultiplier 0',
      ],
    ])
    expect(columns('communities')).toEqual([[]])
    expect(columns('servicel2statuses')).toEqual([['Allocated Node string .status.node 0', ...service]])
    expect(columns('servicebgpstatuses')).toEqual([['Node string .status.node 0', ...service]])
    expect(columns('configurationstates')).toEqual([
      [
        'Result string .status.result 0',
        'ErrorSummary string .status.errorSummary 0',
        'Age date .metadata.creationTimestamp 0',
      ],
    ])
  })

  it('of BGPPeer stores v1beta2, warns about v1beta1 and has them converted', () => {
    const spec = crds.get('metallb.io_bgppeers.yaml')?.spec
    expect(spec?.versions).toMatchObject([
      {
        name: 'v1beta1',
        storage: false,
        deprecated: true,
        deprecationWarning: expect.stringContaining('v1beta2'),
      },
      { name: 'v1beta2', storage: true },
    ])
    expect(spec?.conversion).toEqual({
      strategy: 'Webhook',
      webhook: {
        clientConfig: {
          service: { name: 'metallb-webhook-service', namespace: 'metallb-system', path: '/convert' },
        },
        conversionReviewVersions: ['v1'],
      },
    })
  })

  it('has a structural schema, with nothing in it that the API server refuses', () => {
    const keywords = new Set([
      'type',
      'description',
      'properties',
      'additionalProperties',
      'items',
      'required',
      'default',
      'enum',
      'format',
      'pattern',
      'minimum',
      'maximum',
      'minItems',
      'minLength',
      'maxLength',
      'x-kubernetes-validations',
      'x-kubernetes-list-type',
      'x-kubernetes-list-map-keys',
      'x-kubernetes-map-type',
    ])
    const types = new Set(['string', 'integer', 'boolean', 'array', 'object'])
    const formats: Readonly<Record<string, string>> = {
      int32: 'integer',
      int64: 'integer',
      'date-time': 'string',
    }
    for (const { crd, version } of versions) {
      const root = version.schema.openAPIV3Schema
      expect(root.properties?.metadata).toEqual({ type: 'object' })
      for (const [path, schema] of within(root)) {
        const where = `${crd.metadata.name} ${version.name} ${path}`
        expect(types.has(schema.type ?? ''), where).toBe(true)
        expect(
          Object.keys(schema).filter(key => !keywords.has(key)),
          where,
        ).toEqual([])
        expect(schema.properties !== undefined && schema.additionalProperties !== undefined, where).toBe(
          false,
        )
        expect(schema.type === 'array', where).toBe(schema.items !== undefined)
        expect(Object.keys(schema.properties ?? {}), where).toEqual(
          expect.arrayContaining([...(schema.required ?? [])]),
        )
        if (schema.format !== undefined) expect(formats[schema.format], where).toBe(schema.type)
        // Since Kubernetes 1.36 a bound outside the format makes the whole CRD unusable.
        if (schema.format === 'int32') expect(schema.maximum ?? 0, where).toBeLessThan(2 ** 31)
        if (schema.default !== undefined) expect(admits(schema, schema.default), where).toBe(true)
        if (schema['x-kubernetes-list-type'] === 'map') {
          for (const key of schema['x-kubernetes-list-map-keys'] ?? [])
            expect(schema.items?.required, where).toContain(key)
        }
        for (const { rule, message } of schema['x-kubernetes-validations'] ?? []) {
          expect(cel[rule], where).toBeDefined()
          expect(message, where).not.toContain('\n')
        }
      }
    }
  })

  it('says of every field what it is for', () => {
    for (const { version } of versions) {
      const { spec, status } = version.schema.openAPIV3Schema.properties ?? {}
      for (const part of [spec, status]) {
        for (const [path, schema] of part ? within(part) : []) {
          if (/\.\w+$/.test(path)) expect(schema, path).toHaveProperty('description')
        }
      }
    }
  })

  it('makes immutable what must not change', () => {
    const immutable = versions.flatMap(({ crd, version }) =>
      [...within(version.schema.openAPIV3Schema)]
        .filter(([, schema]) =>
          schema['x-kubernetes-validations']?.some(({ rule }) => rule === 'self == oldSelf'),
        )
        .map(([path]) => `${crd.spec.names.kind}${path}`),
    )
    const status = ['node', 'serviceName', 'serviceNamespace']
    expect(immutable).toEqual([
      'BGPSessionState.status.node',
      'BGPSessionState.status.peer',
      'BGPPeer.spec.enableGracefulRestart',
      ...status.map(name => `ServiceBGPStatus.status.${name}`),
      ...status.map(name => `ServiceL2Status.status.${name}`),
    ])
  })
})

describe('the API server and Carillon', () => {
  it.each([
    manifest(
      'IPAddressPool',
      '{ addresses: [192.0.2.0/24], serviceAllocation: { priority: -3, namespaces: [a, a] } }',
    ),
    manifest('IPAddressPool', '{ addresses: [not an address], autoAssign: null }'),
    manifest('L2Advertisement', '{}'),
    manifest('L2Advertisement', '{ nodeSelectors: null, interfaces: null }'),
    manifest('L2Advertisement', 'null'),
    manifest('L2Advertisement', '{ preferredNodeSelectors: [{ weight: 100, preference: {} }] }'),
    manifest('BGPAdvertisement', '{ aggregationLength: 33, aggregationLengthV6: -1, localPref: 4294967295 }'),
    manifest('BGPAdvertisement', '{ aggregationLength: 32, serviceSelectors: [{ matchLabels: { a: b } }] }'),
    manifest(
      'BGPPeer',
      '{ myASN: 4200000000, peerASN: 4294967295, peerAddress: nowhere, holdTime: 1s }',
      'v1beta2',
    ),
    manifest('BGPPeer', '{ myASN: 0, connectTime: 2m, peerPort: 16384 }', 'v1beta2'),
    manifest('BGPPeer', '{ myASN: 1, peerASN: 0, peerAddress: "", peerPort: 0 }'),
    manifest('BFDProfile', '{ receiveInterval: 10, minimumTtl: 254, echoMode: true }'),
    manifest('Community', '{ communities: [{ name: a }, { value: "65000:1" }] }'),
    '{ apiVersion: metallb.io/v1beta1, kind: BGPAdvertisement, metadata: { name: first } }',
    '{ apiVersion: metallb.io/v1beta1, kind: Community, metadata: { name: first }, unheardOf: 1 }',
    '{ apiVersion: metallb.io/v1beta1, kind: ServiceL2Status, metadata: { name: first }, status: { node: a } }',
    '{ apiVersion: metallb.io/v1beta1, kind: ConfigurationState, metadata: { name: first }, status: { result: Valid } }',
  ])('both take %s', text => {
    expect([accepted(text), usable(text)]).toEqual([true, true])
  })

  it.each([
    '{ apiVersion: metallb.io/v1beta1, kind: IPAddressPool, metadata: { name: first } }',
    manifest('IPAddressPool', '{}'),
    manifest('IPAddressPool', 'null'),
    manifest('IPAddressPool', '{ addresses: null }'),
    manifest('IPAddressPool', '{ addresses: [1] }'),
    manifest('IPAddressPool', '{ addresses: [], serviceAllocation: { priority: high } }'),
    manifest('L2Advertisement', '{ nodeSelectors: [null] }'),
    manifest('L2Advertisement', '{ nodeSelectors: [{ matchExpressions: [{ key: a }] }] }'),
    manifest('L2Advertisement', '{ preferredNodeSelectors: [{ weight: 0, preference: {} }] }'),
    manifest('L2Advertisement', '{ preferredNodeSelectors: [{ weight: 1 }] }'),
    manifest('BGPAdvertisement', '{ aggregationLength: 0 }'),
    manifest('BGPAdvertisement', '{ aggregationLength: 24, serviceSelectors: [{}] }'),
    manifest('BGPAdvertisement', '{ aggregationLengthV6: 64, serviceSelectors: [{}] }'),
    manifest('BGPPeer', '{ peerASN: 1 }', 'v1beta2'),
    manifest('BGPPeer', '{ myASN: 4294967296 }', 'v1beta2'),
    manifest('BGPPeer', '{ myASN: 1, localASN: 0 }', 'v1beta2'),
    manifest('BGPPeer', '{ myASN: 1, dynamicASN: both }', 'v1beta2'),
    manifest('BGPPeer', '{ myASN: 1, peerPort: 0 }', 'v1beta2'),
    manifest('BGPPeer', '{ myASN: 1, connectTime: 0s }', 'v1beta2'),
    manifest('BGPPeer', '{ myASN: 1, connectTime: 1.5s }', 'v1beta2'),
    manifest('BGPPeer', '{ myASN: 1, connectTime: 65536s }', 'v1beta2'),
    manifest('BGPPeer', '{ myASN: 1, connectTime: soon }', 'v1beta2'),
    manifest('BGPPeer', '{ myASN: 1, peerASN: 2 }'),
    manifest(
      'BGPPeer',
      '{ myASN: 1, peerASN: 2, peerAddress: a, nodeSelectors: [{ matchExpressions: [{ key: a, operator: Exists }] }] }',
    ),
    manifest('BFDProfile', '{ transmitInterval: 60001 }'),
    manifest('BFDProfile', '{ detectMultiplier: 1 }'),
    manifest('BFDProfile', '{ minimumTtl: 0 }'),
    manifest('Community', '{ communities: [a] }'),
  ])('both refuse %s', text => {
    expect([accepted(text), usable(text)]).toEqual([false, false])
  })

  it.each([
    manifest('BGPPeer', '{ myASN: 1, holdTime: soon }', 'v1beta2'),
    manifest('BGPAdvertisement', '{ localPref: -1 }'),
  ])('differ on %s, which a schema admits and only the decoder behind it refuses', text => {
    expect([accepted(text), usable(text)]).toEqual([true, false])
  })

  it('agree on random objects', () => {
    const fields = [
      ...new Set(Object.values(structures).flatMap(({ spec }) => Object.keys(spec?.properties ?? {}))),
    ]
    const value = fc.oneof(
      fc.constantFrom(0, 1, 32, 128, 179, 70000, -1, true, false, 'text', '5s', '1h', 'internal'),
      fc.constantFrom<unknown>(
        [],
        {},
        [{}],
        ['a'],
        null,
        [{ matchLabels: { a: 'b' } }],
        [{ weight: 5, preference: {} }],
      ),
    )
    const kind = fc.constantFrom(
      'IPAddressPool',
      'L2Advertisement',
      'BGPAdvertisement',
      'BGPPeer',
      'BFDProfile',
      'Community',
    )
    const spec = fc.dictionary(fc.constantFrom(...fields), value, { maxKeys: 4 })
    const seed = { addresses: [], myASN: 1, peerASN: 1, peerAddress: 'a' }
    const decoderOnly = ['holdTime', 'keepaliveTime', 'localPref']
    fc.assert(
      fc.property(kind, fc.constantFrom('v1beta1', 'v1beta2'), spec, (kind, version, spec) => {
        if ((version === 'v1beta2' && kind !== 'BGPPeer') || decoderOnly.some(name => name in spec)) return
        const document = manifest(kind, JSON.stringify({ ...seed, ...spec }), version)
        expect(usable(document)).toBe(accepted(document))
      }),
      { numRuns: 2000 },
    )
  })
})
