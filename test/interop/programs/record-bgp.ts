// Records what FRR, BIRD, GoBGP and ExaBGP say to one another, into packages/bgp/fixtures/<router>.json. As root, where all four are
// installed:
//
//   node --import ./test/lab/support/typescript.mjs --conditions=@carillon/source test/interop/programs/record-bgp.ts
import { mkdir, writeFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { eventually } from '../../lab/support/speaker-lab.ts'
import { record, type Speech } from '../support/recording.ts'
import type { Router } from '../support/routers/router.ts'
import type { NeighborConfig, OriginConfig, RouterConfig } from '../support/routers/router-config.ts'
import { RouterLab } from '../support/routers/router-lab.ts'
import type { RouterKind } from '../support/routers/routers.ts'

/** A message as it stands in a fixture. */
interface Recorded {
  readonly from: RouterKind
  readonly hex: string
  readonly fourOctetAs: boolean
  readonly extendedMessage: boolean
}

interface Side {
  readonly kind: RouterKind
  readonly as: number
  readonly neighbor?: Partial<NeighborConfig>
  readonly config?: Partial<RouterConfig>
}

/** Two routers, what is done to them, and whether they are to agree first. */
interface Scene {
  readonly name: string
  readonly a: Side
  readonly b: Side
  /** @default true */
  readonly agree?: boolean
  readonly plot?: (a: Router, b: Router) => Promise<void>
}

const BGP = 179
const HEADER = 19
const FOUR_OCTET_AS = 65
const EXTENDED_MESSAGE = 6

const both = ['ipv4', 'ipv6'] as const

/** Routes with all that may be said of them. */
const rich = (as: number, number: number): readonly OriginConfig[] => {
  const low = as & 0xffff
  return [
    {
      prefix: `10.${number}.0.0/24`,
      communities: [`${low}:1`, `${low}:20`, '65535:0'],
      largeCommunities: [`${as}:1:2`, '4294967295:0:4294967295'],
      med: 50,
    },
    { prefix: `10.${number}.1.0/24`, asPath: [64512, 64513] },
    { prefix: `10.${number}.1.7/32` },
    { prefix: `10.${number}.128.0/17` },
    { prefix: `fd00:${number}::/64`, communities: [`${low}:1`] },
    { prefix: `fd00:${number}::7/128` },
  ]
}

const wide = (number: number, count: number): readonly OriginConfig[] =>
  Array.from({ length: count }, (_, i) => ({ prefix: `10.${number}.${i >> 8}.${i & 255}/32` }))

/** Every kind of change: a refresh, a withdrawal of some routes, and a shutdown with a text. */
async function ordinary(a: Router, b: Router): Promise<void> {
  await a.refresh(b.config.routerId)
  await b.refresh(a.config.routerId)
  await pause(500)
  for (const router of [a, b]) await router.originate((router.config.routes ?? []).slice(0, 2))
  await pause(1500)
  await a.shut(b.config.routerId, `${a.version} goes down for maintenance, ü`)
  await pause(500)
}

async function reverse(a: Router, b: Router): Promise<void> {
  await b.shut(a.config.routerId, `${b.version} goes down for maintenance, ü`)
  await pause(500)
}

const pairs: readonly (readonly [RouterKind, RouterKind])[] = [
  ['frr', 'bird'],
  ['gobgp', 'frr'],
  ['exabgp', 'bird'],
  ['gobgp', 'exabgp'],
]

const freeze = async (_: Router, b: Router): Promise<void> => {
  if (b.pid !== undefined) process.kill(b.pid, 'SIGSTOP')
  await pause(4500)
  if (b.pid !== undefined) process.kill(b.pid, 'SIGCONT')
}

const scenes: readonly Scene[] = [
  ...pairs.flatMap(([a, b]): readonly Scene[] => [
    {
      name: `${a} and ${b}: external, four octets`,
      a: { kind: a, as: 4_200_000_001, config: { routes: rich(4_200_000_001, 1) } },
      b: { kind: b, as: 65_002, config: { routes: rich(65_002, 2) } },
      plot: ordinary,
    },
    {
      name: `${a} and ${b}: internal, graceful restart`,
      a: {
        kind: a,
        as: 65_000,
        neighbor: { gracefulRestart: 'full' },
        config: { routes: rich(65_000, 1).map(route => ({ ...route, localPref: 150 })) },
      },
      b: {
        kind: b,
        as: 65_000,
        neighbor: { gracefulRestart: 'full' },
        config: { routes: rich(65_000, 2).map(route => ({ ...route, localPref: 250 })) },
      },
      plot: reverse,
    },
    {
      name: `${a} and ${b}: wrong AS`,
      a: { kind: a, as: 65_001 },
      b: { kind: b, as: 65_002, neighbor: { remoteAs: 65_111 } },
      agree: false,
      plot: () => pause(4000),
    },
    {
      name: `${b} and ${a}: wrong AS`,
      a: { kind: b, as: 65_001 },
      b: { kind: a, as: 65_002, neighbor: { remoteAs: 65_111 } },
      agree: false,
      plot: () => pause(4000),
    },
  ]),
  {
    name: 'bird falls silent beside frr',
    a: { kind: 'frr', as: 65_001, neighbor: { holdTime: 3 } },
    b: { kind: 'bird', as: 65_002, neighbor: { holdTime: 3 } },
    plot: freeze,
  },
  {
    name: 'frr falls silent beside bird',
    a: { kind: 'bird', as: 65_001, neighbor: { holdTime: 3 } },
    b: { kind: 'frr', as: 65_002, neighbor: { holdTime: 3 } },
    plot: freeze,
  },
  {
    name: 'bird falls silent beside gobgp',
    a: { kind: 'gobgp', as: 65_001, neighbor: { holdTime: 3 } },
    b: { kind: 'bird', as: 65_002, neighbor: { holdTime: 3 } },
    plot: freeze,
  },
  {
    name: 'bird falls silent beside exabgp',
    a: { kind: 'exabgp', as: 65_001, neighbor: { holdTime: 3 } },
    b: { kind: 'bird', as: 65_002, neighbor: { holdTime: 3 } },
    plot: freeze,
  },
  {
    name: 'frr and bird, which knows two octets only',
    a: {
      kind: 'frr',
      as: 65_001,
      config: {
        routes: [...rich(65_001, 1), { prefix: '10.3.0.0/24', asPath: [4_200_000_001, 64_512] }],
        aggregates: ['10.1.0.0/16', 'fd00:1::/32'],
      },
    },
    b: { kind: 'bird', as: 65_002, neighbor: { fourOctetAs: false }, config: { routes: rich(65_002, 2) } },
  },
  {
    name: 'frr with an aggregate, and gobgp',
    a: {
      kind: 'frr',
      as: 65_001,
      config: {
        routes: rich(65_001, 1),
        aggregates: ['10.1.0.0/16', 'fd00:1::/32'],
        gracefulNotification: true,
      },
      neighbor: { gracefulRestart: 'full' },
    },
    b: {
      kind: 'gobgp',
      as: 65_002,
      config: { routes: rich(65_002, 2), gracefulNotification: true },
      neighbor: { gracefulRestart: 'full' },
    },
    plot: reverse,
  },
  {
    name: 'frr and gobgp, hard reset',
    a: {
      kind: 'frr',
      as: 65_001,
      config: { gracefulNotification: true },
      neighbor: { gracefulRestart: 'full' },
    },
    b: {
      kind: 'gobgp',
      as: 65_002,
      config: { gracefulNotification: true },
      neighbor: { gracefulRestart: 'full' },
    },
    plot: async (a, b) => {
      await a.shut(b.config.routerId, 'hard')
      await pause(500)
    },
  },
  {
    name: 'frr and bird, extended messages',
    a: { kind: 'frr', as: 65_001, neighbor: { extendedMessages: true }, config: { routes: wide(1, 900) } },
    b: { kind: 'bird', as: 65_002, neighbor: { extendedMessages: true }, config: { routes: wide(2, 900) } },
  },
  {
    name: 'frr and frr, unnumbered',
    a: {
      kind: 'frr',
      as: 65_001,
      neighbor: { interface: 'eth0', remoteAs: 'external' },
      config: { routes: rich(65_001, 1) },
    },
    b: {
      kind: 'frr',
      as: 65_002,
      neighbor: { interface: 'eth0', remoteAs: 'external' },
      config: { routes: rich(65_002, 2) },
    },
    plot: async (a, b) => {
      await a.refresh('eth0')
      await pause(500)
      await b.originate([])
      await pause(500)
      await a.clear('eth0')
      await pause(500)
    },
  },
]

/** Splits what one end said into messages, by the length in their headers; what is cut off is left out. */
function messages(bytes: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found: Uint8Array[] = []
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const length = view.getUint16(at + 16)
    if (length < HEADER || at + length > bytes.length) break
    found.push(bytes.subarray(at, at + length))
    at += length
  }
  return found
}

/** Codes of the capabilities in an OPEN (RFC 5492). */
function capabilities(open: Uint8Array): ReadonlySet<number> {
  const codes = new Set<number>()
  const byte = (at: number): number => open[at] ?? 0
  for (let at = HEADER + 10; at < open.length; at += 2 + byte(at + 1)) {
    const end = at + 2 + byte(at + 1)
    if (byte(at) === 2) for (let i = at + 2; i < end; i += 2 + byte(i + 1)) codes.add(byte(i))
  }
  return codes
}

function recorded(speeches: readonly Speech[], who: (from: string) => RouterKind): readonly Recorded[] {
  return speeches.flatMap(speech => {
    const other = speeches.find(({ from, to }) => from === speech.to && to === speech.from)
    const own = messages(speech.bytes)
    const opens = [own, messages(other?.bytes ?? new Uint8Array())].map(all =>
      capabilities(all[0] ?? new Uint8Array()),
    )
    const agreed = (code: number): boolean => opens.every(codes => codes.has(code))
    return own.map(bytes => ({
      from: who(speech.from),
      hex: Buffer.from(bytes).toString('hex'),
      fourOctetAs: agreed(FOUR_OCTET_AS),
      extendedMessage: agreed(EXTENDED_MESSAGE),
    }))
  })
}

async function perform({ name, a, b, agree = true, plot }: Scene): Promise<readonly Recorded[]> {
  await using lab = await RouterLab.build('record', ['a', 'b'])
  const config = (side: Side, me: string, other: string, remoteAs: number): RouterConfig => ({
    as: side.as,
    // Also how the plots call the neighbour.
    routerId: lab.address(me),
    ...side.config,
    neighbors: [
      {
        ...(side.neighbor?.interface === undefined && {
          address: lab.address(other),
          localAddress: lab.address(me),
          nextHop6: lab.address(me, 6),
        }),
        remoteAs,
        families: both,
        ...side.neighbor,
      },
    ],
  })
  let versions: Router[] = []
  const { speeches } = await record(
    lab.net,
    'a',
    async () => {
      const first = await lab.start(a.kind, 'a', config(a, 'a', 'b', b.as))
      const second = await lab.start(b.kind, 'b', config(b, 'b', 'a', a.as))
      versions = [first, second]
      if (agree) {
        const complete = async (): Promise<true | undefined> => {
          const all = (await Promise.all(versions.map(router => router.sessions()))).flat()
          return all.every(({ state }) => state === 'Established') || undefined
        }
        await eventually(name, complete, 15)
        await pause(1500)
      }
      await plot?.(first, second)
      await Promise.all(versions.map(router => router.stop()))
    },
    BGP,
  )
  for (const router of versions) sources.set(router === versions[0] ? a.kind : b.kind, router.version)
  const link = (await lab.net.ipIn('a', '-6', 'addr', 'show', 'eth0', 'scope', 'link')).match(
    /fe80[^/]+/,
  )?.[0]
  const places = [lab.address('a'), `[${hex(link ?? '::')}]`]
  return recorded(speeches, from => (places.some(place => from.startsWith(`${place}:`)) ? a.kind : b.kind))
}

/** An IPv6 address as the recording writes it: 32 digits. */
function hex(address: string): string {
  const [head = '', tail = ''] = address.split('::')
  const words = (text: string): readonly string[] => text.split(':').filter(Boolean)
  const zeros = 8 - words(head).length - words(tail).length
  const all = [...words(head), ...Array.from({ length: zeros }, () => '0'), ...words(tail)]
  return all.map(word => word.padStart(4, '0')).join('')
}

const sources = new Map<RouterKind, string>()
const found = new Map<string, Recorded>()
for (const scene of scenes) {
  const before = found.size
  for (const message of await perform(scene)) found.set(JSON.stringify(message), message)
  process.stderr.write(`${scene.name}: ${found.size - before} messages that are new\n`)
}

const folder = fileURLToPath(new URL('../../../packages/bgp/fixtures/', import.meta.url))
await mkdir(folder, { recursive: true })
for (const [kind, source] of sources) {
  const lines = [...found.values()]
    .filter(({ from }) => from === kind)
    .map(one => `    ${JSON.stringify(one)}`)
  const text = `{\n  "source": ${JSON.stringify(source)},\n  "messages": [\n${lines.join(',\n')}\n  ]\n}\n`
  await writeFile(`${folder}${kind}.json`, text)
}
