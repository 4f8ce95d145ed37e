import { randomBytes } from 'node:crypto'
import type { PlanDocument, Problem } from '@carillon/core'
import { describe, expect, it } from 'vitest'
import { asYaml, carillon, over, planOf } from './carillon.ts'
import { endpoint, l2, node, pool, secret, service, slice, v4 } from './manifests.ts'

const cluster = [
  pool('a', ['10.0.0.0/29']),
  l2(),
  node('node-a'),
  service('web'),
  slice('web', [endpoint('node-a')]),
]

/** A plan of these files, as text that two ways of writing the same must agree on. */
async function planned(files: Readonly<Record<string, string>>): Promise<string> {
  return (await over(files, 'plan', '--json')).out
}

describe('manifests', () => {
  const list = (kind: string, items: readonly object[], apiVersion = 'v1'): object => ({
    apiVersion,
    kind,
    items,
  })
  const [thePool, ...others] = cluster
  const ways: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'in one file each': Object.fromEntries(cluster.map((one, i) => [`${i}.yaml`, asYaml([one])])),
    'as JSON files': Object.fromEntries(cluster.map((one, i) => [`${i}.json`, JSON.stringify(one)])),
    'as a List': { 'list.yml': asYaml([list('List', cluster)]) },
    'as a List of JSON': { 'list.json': JSON.stringify(list('List', cluster), null, 2) },
    'as Lists of Lists': { 'list.json': JSON.stringify(list('List', [list('List', cluster)])) },
    'as a typed list whose items do not say what they are': {
      'pools.json': JSON.stringify(
        list(
          'IPAddressPoolList',
          [{ ...thePool, kind: undefined, apiVersion: undefined }],
          'metallb.io/v1beta1',
        ),
      ),
      'rest.yaml': asYaml(others),
    },
    'with line ends of Windows and a byte order mark': {
      'all.yaml': `\ufeff${asYaml(cluster).replaceAll('\n', '\r\n')}`,
    },
    'with comments, empty documents and ends of documents': {
      'all.yaml': `# first\n---\n---\n${asYaml(cluster).replaceAll('---\n', '...\n--- # next\n')}---\n# last\n`,
    },
    'beside objects of kinds that are none of ours': {
      'all.yaml': asYaml([
        ...cluster,
        { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' } },
      ]),
    },
    'beside files of other kinds': {
      'all.yaml': asYaml(cluster),
      'README.md': '# no',
      '.hidden.yaml': 'no: [',
    },
    'with a merge key': {
      'all.yaml': `${asYaml(others)}---\napiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: { name: a }\nspec: { <<: { addresses: [10.0.0.0/29] } }\n`,
    },
  }
  it.each(Object.entries(ways))('%s say the same', async (_, files) => {
    expect(await planned(files)).toBe(await planned({ 'all.yaml': asYaml(cluster) }))
  })

  it('may put the metallb.io kinds into any namespace', async () => {
    const elsewhere = cluster.map(one => ({
      ...one,
      metadata: { ...(one.metadata as object), namespace: 'default' },
    }))
    expect(await planned({ 'all.yaml': asYaml(elsewhere) })).toBe(
      await planned({ 'all.yaml': asYaml(cluster) }),
    )
  })

  it.each([
    ['a Service', service('web'), 'Service/default/web'],
    [
      'a Service whose namespace goes without saying',
      { ...service('web'), metadata: { name: 'web' } },
      'Service/default/web',
    ],
    ['a Node', node('node-a'), 'Node//node-a'],
    ['an EndpointSlice', slice('web', []), 'EndpointSlice/default/web-1'],
    ['a pool of another namespace', pool('a', ['10.1.0.0/24'], {}, {}), 'IPAddressPool//a'],
  ])('that hold %s twice are refused by its name', async (_, again, expected) => {
    const { code, problems, services, pools } = await planOf([...cluster, again])
    expect(code).toBe(1)
    expect(problems.map(({ kind, namespace, name }) => `${kind}/${namespace ?? ''}/${name}`)).toEqual([
      expected,
    ])
    expect({ services, pools }).toEqual({ services: [], pools: [] })
  })
})

describe('what is printed', () => {
  it('is sorted, and says null where there is nothing', async () => {
    const plan = await planOf([
      pool('p', ['192.168.1.240/31']),
      l2({ interfaces: ['eth1', 'eth0'] }),
      node('node-b'),
      node('node-a'),
      service('b', { namespace: 'x', spec: { type: 'ClusterIP' } }),
      service('b', { asks: { loadBalancerIPs: '192.168.1.240' } }),
      service('a', { asks: { loadBalancerIPs: '10.1.1.1' } }),
      slice('b', [endpoint('node-b')]),
    ])
    expect(plan).toEqual({
      code: 0,
      services: [
        {
          namespace: 'default',
          name: 'a',
          state: 'pending',
          addresses: [],
          pool: null,
          reason: { code: 'AllocationFailed', message: expect.stringContaining('10.1.1.1') },
          announcements: [],
          silent: [],
        },
        {
          namespace: 'default',
          name: 'b',
          state: 'assigned',
          addresses: ['192.168.1.240'],
          pool: 'p',
          reason: null,
          announcements: [
            { protocol: 'layer2', address: '192.168.1.240', node: 'node-a', interfaces: ['eth0', 'eth1'] },
          ],
          silent: [{ protocol: 'layer2', node: 'node-b', because: 'notOwner' }],
        },
        {
          namespace: 'x',
          name: 'b',
          state: 'ignored',
          addresses: [],
          pool: null,
          reason: { code: 'notLoadBalancer', message: expect.any(String) },
          announcements: [],
          silent: [],
        },
      ],
      pools: [{ name: 'p', assignedIPv4: 1, assignedIPv6: 0, availableIPv4: 1, availableIPv6: 0 }],
      problems: [],
    })
  })

  it('is empty where there is nothing', async () => {
    expect(await planOf([])).toEqual({ code: 0, services: [], pools: [], problems: [] })
  })

  it('names severity, kind, name, field and message of a problem', async () => {
    const { code, problems } = await planOf([pool('p', ['x']), service('web')])
    expect(code).toBe(1)
    expect(problems).toEqual([
      {
        severity: 'error',
        kind: 'IPAddressPool',
        name: 'p',
        field: 'spec.addresses[0]',
        message: expect.any(String),
      },
    ])
  })

  it('is 1 also where only a Service cannot be read', async () => {
    const { code, problems } = await planOf([pool('p', ['10.0.0.0/29']), { ...service('web'), spec: 'x' }])
    expect(code).toBe(1)
    expect(problems).toMatchObject([{ kind: 'Service', namespace: 'default', name: 'web', field: 'spec' }])
  })
})

describe('wrong usage', () => {
  it.each([
    ['no manifests', ['plan']],
    ['an unknown option', ['plan', '--manifests', '.', '--what']],
    ['an unknown command', ['plot']],
    ['an option without its value', ['plan', '--manifests']],
    ['an argument too many', ['plan', '--manifests', '.', 'more']],
    ['no manifests to validate', ['validate']],
  ])('is told in one line, with code 2: %s', async (_, argv) => {
    const { code, out, err } = await carillon(...argv)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err.trim().split('\n')).toHaveLength(1)
  })

  it('a path that is not there is told in one line that names it, with code 1', async () => {
    const { code, out, err } = await carillon('plan', '--manifests', '/nowhere/at/all', '--json')
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(/^carillon: .*\/nowhere\/at\/all.*$/)
  })
})

describe('hostile manifests', () => {
  const head = 'apiVersion: v1\nkind: Node\nmetadata: { name: n }\n'
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'].concat(
    [...'bcdefghij'].map(
      (name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[i]}`).join(', ')}]`,
    ),
  )
  const refused: Readonly<Record<string, readonly [string | Uint8Array, RegExp]>> = {
    'a bomb of aliases': [`${bomb.join('\n')}\n${head}`, /aliases repeat too much/],
    'lists nested beyond reason': [
      `${head}x: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`,
      /nests deeper than 200 levels/,
    ],
    'maps nested beyond reason': [
      head + Array.from({ length: 1000 }, (_, i) => `${' '.repeat(i)}a:\n`).join(''),
      /nests deeper than 200 levels/,
    ],
    'random bytes': [randomBytes(100_000), /YAML|no Kubernetes object/],
    zeros: [new Uint8Array(100_000), /no Kubernetes object/],
    'another encoding': [Buffer.from(head, 'utf16le'), /YAML|no Kubernetes object/],
    'a structure that holds itself': ['&a [*a]', /no Kubernetes object/],
    'an alias of nothing': ['apiVersion: v1\nkind: Node\nmetadata: *a\n', /alias/],
    tabs: ['apiVersion: v1\n\tkind: Node\n', /line 2/],
    'a key twice': ['apiVersion: v1\nkind: Node\nkind: Node\n', /line 3/],
    'mere text': ['hello', /no Kubernetes object/],
    'a megabyte of text': ['x'.repeat(1_000_000), /no Kubernetes object/],
    'a name of a megabyte': [
      `apiVersion: metallb.io/v1beta1\nkind: L2Advertisement\nmetadata: { name: ${'a.'.repeat(500_000)}a }\n`,
      /lower case/,
    ],
    'a duration of a megabyte': [
      asYaml([
        {
          apiVersion: 'metallb.io/v1beta2',
          kind: 'BGPPeer',
          metadata: { name: 'x' },
          spec: { myASN: 1, peerASN: 2, peerAddress: '10.0.0.1', holdTime: '1'.repeat(1_000_000) },
        },
      ]),
      /duration/,
    ],
  }
  it.each(Object.entries(refused))('are refused in a sentence: %s', async (_, [content, expected]) => {
    const { code, out } = await over({ 'bad.yaml': content }, 'plan', '--json')
    const { services, problems } = JSON.parse(out) as PlanDocument
    expect({ code, services }).toEqual({ code: 1, services: [] })
    expect(problems.map(({ message }: Problem) => message).join('\n')).toMatch(expected)
  })

  const taken: Readonly<Record<string, string>> = {
    'JSON that nests beyond reason': `{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"},"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    'Lists within Lists without end': `${'{"apiVersion":"v1","kind":"List","items":['.repeat(3000)}${']}'.repeat(3000)}`,
    'a Secret of ten megabytes': JSON.stringify(secret('s', 'Opaque', { x: 'A'.repeat(10_000_000) })),
    'kinds and names that every object has': JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [
        { apiVersion: 'v1', kind: '__proto__' },
        { apiVersion: '__proto__', kind: 'constructor' },
        { apiVersion: 'v1', kind: 'toString' },
      ],
    }),
  }
  it.each(Object.entries(taken))('that do no harm are taken: %s', async (_, content) => {
    expect((await over({ 'odd.json': content }, 'plan', '--json')).code).toBe(0)
  })

  it('change no prototype', async () => {
    const text = asYaml([pool('a', ['10.0.0.0/29']), service('constructor', { clusterIPs: v4 })])
      .replaceAll('"labels":{}', '"labels":{"__proto__":"x","constructor":"y","hasOwnProperty":"z"}')
      .replaceAll('"annotations":{}', '"annotations":{"__proto__":{"polluted":1}}')
    for (const name of ['all.yaml', 'all.json']) {
      await over(
        {
          [name]: name.endsWith('json')
            ? '{"__proto__":{"polluted":1},"apiVersion":"v1","kind":"Node","metadata":{"name":"n","__proto__":{"polluted":1}}}'
            : text,
        },
        'plan',
        '--json',
      )
    }
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
    const { services } = await planOf([
      pool('a', ['10.0.0.0/29']),
      service('constructor', { asks: { 'address-pool': 'constructor' } }),
      service('tostring', { labels: { constructor: 'x' } }),
    ])
    expect(services.map(({ state }) => state)).toEqual(['pending', 'assigned'])
  })
})
