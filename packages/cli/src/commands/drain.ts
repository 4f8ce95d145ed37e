import { CarillonError, type ServiceStatus, type SpeakerStatus } from '@carillon/core'
import { few } from '../announced.ts'
import type { Ask } from '../client.ts'
import { type DrainDocument, type Drained, describeDrain, withoutNode } from '../drain.ts'
import { paint, type Terminal, table } from '../terminal.ts'
import { readManifests } from './manifests.ts'
import { type PlanOptions, planOf } from './plan.ts'
import { problemLines } from './problems.ts'
import type { AskOptions } from './status.ts'

export interface DrainOptions extends Omit<PlanOptions, 'manifests'>, AskOptions {
  /** Asked for instead of a running speaker. */
  readonly manifests?: readonly string[]
  readonly dryRun: boolean
}

/** Questions about single Services that are under way at once. */
const atOnce = 8

/** `carillon drain`: 0 when every address of the node has somebody to go to, 1 when one would be announced by nobody. */
export async function drain(node: string, options: DrainOptions, terminal: Terminal): Promise<number> {
  if (!options.dryRun) {
    throw new CarillonError(
      'USAGE',
      `drain ${node}: only --dry-run is there; to move what the node holds, stop its speaker or label the node ` +
        'node.kubernetes.io/exclude-from-external-load-balancers',
      { node },
    )
  }
  const { manifests } = options
  const drained =
    manifests === undefined
      ? await fromSpeaker(node, options.ask)
      : await fromManifests(node, { ...options, manifests }, terminal)
  if (!drained) return 1
  const document = describeDrain(node, drained)
  if (options.json) terminal.print(JSON.stringify(document, null, 2))
  else show(document, terminal)
  return document.orphans.length === 0 ? 0 : 1
}

const unknown = (node: string, known: readonly string[]): CarillonError =>
  new CarillonError('NOT_FOUND', `${node}: there is no such node; known are ${few(known) || 'none'}`, {
    node,
  })

/** From the plan with and without the node. Undefined when the manifests are invalid, which has been told then. */
async function fromManifests(
  node: string,
  options: PlanOptions,
  terminal: Terminal,
): Promise<readonly Drained[] | undefined> {
  const snapshot = await readManifests(options.manifests)
  const alive = options.alive ?? snapshot.nodes.map(({ metadata }) => metadata.name)
  if (!alive.includes(node)) throw unknown(node, alive)
  const before = planOf(snapshot, { ...options, alive })
  if (before.problems.some(({ severity }) => severity === 'error')) {
    for (const line of problemLines(before.problems, terminal)) terminal.warn(line)
    return undefined
  }
  const rest = alive.filter(name => name !== node)
  const after = new Map(
    planOf(snapshot, { ...options, alive: rest }).services.map(({ namespace, name, announcements }) => [
      `${namespace}/${name}`,
      announcements,
    ]),
  )
  return before.services.map(service => ({
    service,
    after: after.get(`${service.namespace}/${service.name}`) ?? [],
  }))
}

/** From what a running speaker knows. */
async function fromSpeaker(node: string, ask: Ask): Promise<readonly Drained[]> {
  const answer = await ask()
  const living = answer.members.flatMap(({ name, liveness }) =>
    liveness === 'alive' || liveness === 'suspect' ? name : [],
  )
  if (!living.includes(node)) throw unknown(node, living)
  return withoutNode(node, await inFull(answer, living, ask))
}

/**
 * The Services with what every node says of them. Of a large cluster the status as a whole leaves that out, so it is asked for Service by
 * Service.
 */
async function inFull(
  { services }: SpeakerStatus,
  living: readonly string[],
  ask: Ask,
): Promise<readonly ServiceStatus[]> {
  const whole = [...services]
  const left = services.flatMap((service, at) => (isWhole(service, living) ? [] : at))
  const work = async (): Promise<void> => {
    for (let at = left.pop(); at !== undefined; at = left.pop()) {
      const { namespace, name } = services[at] as ServiceStatus
      const [found] = (await ask(`${namespace}/${name}`)).services
      if (found) whole[at] = found
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return whole
}

/** Whether every living node is either announcing or silent for a reason. */
function isWhole({ announcements, silent }: ServiceStatus, living: readonly string[]): boolean {
  if (announcements.length + silent.length === 0) return true
  const told = new Set([...announcements, ...silent].map(({ node }) => node))
  return living.every(name => told.has(name))
}

function show({ node, addresses, routes, orphans }: DrainDocument, terminal: Terminal): void {
  if (addresses.length + routes.length === 0) {
    terminal.print(`${node} announces nothing: nothing would move`)
    return
  }
  const nobody = paint(terminal, 'red', 'nobody')
  const rows = [
    ...addresses.map(({ address, services, to }) => [
      address,
      few(services),
      'layer2',
      `moves to ${to ?? nobody}`,
    ]),
    ...routes.map(({ prefix, services, nodes }) => [
      prefix,
      few(services),
      'bgp',
      nodes.length === 0 ? `announced by ${nobody}` : `stays with ${few(nodes)}`,
    ]),
  ]
  terminal.print(table(['ADDRESS', 'SERVICES', 'PROTOCOL', `WITHOUT ${node}`], rows))
  terminal.print('')
  const heirs = new Map<string, number>()
  for (const { to } of addresses) if (to !== null) heirs.set(to, (heirs.get(to) ?? 0) + 1)
  for (const [heir, count] of [...heirs].sort(([a], [b]) => (a < b ? -1 : 1)))
    terminal.print(`${heir} would take ${count} ${count === 1 ? 'address' : 'addresses'}`)
  for (const { service, address } of orphans)
    terminal.print(
      `${paint(terminal, 'red', `${service} (${address}) would be announced by nobody`)}; "carillon explain ${service}" says why the others may not`,
    )
  if (orphans.length === 0) terminal.print('every address would go on being announced')
}
