import {
  Allocator,
  ConfigParser,
  describeInvalid,
  describePlan,
  meaningOf,
  type PlanDocument,
  Planner,
  type Snapshot,
} from '@carillon/core'
import { broadcasts, few } from '../announced.ts'
import { paint, type Terminal, table } from '../terminal.ts'
import { readManifests } from './manifests.ts'
import { problemLines } from './problems.ts'

export interface PlanOptions {
  readonly manifests: readonly string[]
  readonly alive?: readonly string[]
  readonly standalone: boolean
  readonly lbClass?: string
  readonly ignoreExcludeLb: boolean
  readonly bgpPasswordFile?: readonly string[]
  readonly json: boolean
}

/** What would be announced of a snapshot. Pure. */
export function planOf(
  snapshot: Snapshot,
  options: Omit<PlanOptions, 'manifests' | 'bgpPasswordFile' | 'json'>,
): PlanDocument {
  const { standalone, lbClass, ignoreExcludeLb } = options
  const { config, problems } = new ConfigParser().parse(snapshot)
  if (!config) return describeInvalid(problems)
  const { services, namespaces } = snapshot
  const allocator = new Allocator({
    standalone,
    ...(lbClass === undefined ? {} : { loadBalancerClass: lbClass }),
  })
  const allocation = allocator.update({ services, namespaces, config })
  const alive = options.alive && new Set(options.alive)
  const plan = new Planner().update({ snapshot, config, allocation, alive, standalone, ignoreExcludeLb })
  return describePlan(plan, problems)
}

/** `carillon plan`: 0 also with pending Services, 1 for an invalid configuration. */
export async function plan(options: PlanOptions, terminal: Terminal): Promise<number> {
  const document = planOf(await readManifests(options.manifests, options.bgpPasswordFile), options)
  const invalid = document.problems.some(problem => problem.severity === 'error')
  if (options.json) terminal.print(JSON.stringify(document, null, 2))
  else show(document, terminal)
  return invalid ? 1 : 0
}

function show({ services, pools, problems }: PlanDocument, terminal: Terminal): void {
  for (const line of problemLines(problems, terminal)) terminal.warn(line)
  if (services.length > 0) {
    const rows = services.map(service => {
      const colour = service.state === 'assigned' ? 'green' : service.state === 'pending' ? 'yellow' : 'dim'
      return [
        `${service.namespace}/${service.name}`,
        paint(terminal, colour, service.state),
        service.addresses.join(', ') || '-',
        service.pool ?? '-',
        whoSpeaks(service) || '-',
        service.reason ? `${service.reason.code}: ${service.reason.message}` : whySilent(service),
      ]
    })
    terminal.print(table(['SERVICE', 'STATE', 'ADDRESSES', 'POOL', 'NODE', 'WHY'], rows))
    const words = legend(services)
    if (words.length > 0) terminal.print(`\n${words.join('\n')}`)
  }
  if (pools.length > 0) {
    const rows = pools.map(pool => [
      pool.name,
      String(pool.assignedIPv4),
      String(pool.availableIPv4),
      String(pool.assignedIPv6),
      String(pool.availableIPv6),
    ])
    terminal.print('')
    terminal.print(table(['POOL', 'IPV4 USED', 'IPV4 FREE', 'IPV6 USED', 'IPV6 FREE'], rows))
  }
}

/** `node-a` on layer 2, `bgp node-a, node-b to tor` by BGP; both where there are both. */
function whoSpeaks({ announcements }: PlanDocument['services'][number]): string {
  const owners = new Set(announcements.flatMap(one => (one.protocol === 'layer2' ? one.node : [])))
  const told = broadcasts(announcements).map(({ nodes, peers }) => `bgp ${few(nodes)} to ${few(peers)}`)
  return [...owners, ...new Set(told)].join('; ')
}

/** Whether a Service has an address that nobody announces. */
const isUnheard = ({ state, announcements }: PlanDocument['services'][number]): boolean =>
  state === 'assigned' && announcements.length === 0

/** What the words mean for which Services are announced by nobody, and what to do about it. */
function legend(services: PlanDocument['services']): readonly string[] {
  const lines = new Set<string>()
  for (const { silent } of services.filter(isUnheard)) {
    for (const { because, protocol } of silent) {
      const { sentence, advice } = meaningOf(because, protocol)
      lines.add(`${because}: ${sentence}; ${advice}`)
    }
  }
  return [...lines].sort()
}

/** For an assigned Service that nobody announces: the reasons of the nodes, each with how many have it. */
function whySilent(service: PlanDocument['services'][number]): string {
  if (!isUnheard(service)) return ''
  if (service.silent.length === 0) return 'no advertisement selects its pool'
  const counts = new Map<string, number>()
  for (const { because } of service.silent) counts.set(because, (counts.get(because) ?? 0) + 1)
  return `nobody: ${[...counts].map(([because, count]) => `${because} (${count})`).join(', ')}`
}
