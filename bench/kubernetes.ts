import { setTimeout as pause } from 'node:timers/promises'
import { eventually } from './support/bfd-lab.ts'
import { calendar } from './support/calendar.ts'
import type { Dialogue } from './support/dialogue.ts'
import { Announcements } from './support/kubernetes/announcements.ts'
import { ClusterLab, type Made, type Running } from './support/kubernetes/cluster-lab.ts'
import type { BenchResult } from './support/result.ts'
import { count } from './support/settings.ts'
import { quantile } from './support/statistics.ts'

const plan = {
  services: () => count('CARILLON_BENCH_SERVICES', 10_000),
  probes: () => count('CARILLON_BENCH_PROBES', 200),
}

const english = (n: number): string => n.toLocaleString('en')

/**
 * A controller and a speaker in a cluster of 100 nodes with 10,000 Services, against the API server for tests, each a process: how long
 * until every Service has an address, what one more Service takes, and how much memory all that needs; of a speaker that has its share,
 * and of one that is left alone with all of it. `CARILLON_BENCH_SERVICES` and `CARILLON_BENCH_PROBES` change the numbers.
 */
export async function run(): Promise<BenchResult[]> {
  const services = plan.services()
  await using lab = await ClusterLab.build()
  const results: BenchResult[] = []

  const idle = lab.speaker(true)
  await eventually('the speaker runs', async () => (await lab.metric(idle, 'carillon_k8s_source_synced')) > 8)
  await pause(5000)
  results.push(memory(lab, idle, 'the speaker with 0 Services', 110))
  await lab.end(idle)

  await lab.server(`services ${services}`)
  const user = await lab.user()
  const controller = lab.controller()
  const { at } = await user.ask<{ at: number }>(`wait ${services}`)
  results.push({
    name: `start of the controller until ${english(services)} Services have an address`,
    value: (at - controller.startedAt) / 1000,
    unit: 's',
    note: 'goal: at most 10',
  })
  await pause(3000)
  const writes = await lab.server<{ services: number; all: number }>('writes')
  results.push(
    { name: 'writes to each Service', value: writes.services / services, unit: '', note: 'goal: 1' },
    { name: 'all writes, events included', value: writes.all, unit: '' },
  )

  results.push(...(await share(lab, services, user)), ...(await everything(lab, services + plan.probes())))
  results.push(memory(lab, controller, `the controller with ${english(services)} Services`))
  return results
}

/** One of the hundred. */
async function share(lab: ClusterLab, services: number, user: Dialogue): Promise<readonly BenchResult[]> {
  await using wire = await Announcements.listen(lab.segment)
  const speaker = lab.speaker(false)
  await eventually('its share is announced', () => wire.first.size > 0)
  await lab.still(speaker, 'metallb_layer2_gratuitous_sent')
  await lab.still(speaker, 'carillon_k8s_writes_total')
  const name = `a speaker with ${english(services)} Services, ${wire.first.size} of them announced by it`
  const used = memory(lab, speaker, name, 200)
  const rows = [...(await probe(user, wire)), used]
  await lab.end(speaker)
  return rows
}

/** The last of the hundred. */
async function everything(lab: ClusterLab, services: number): Promise<readonly BenchResult[]> {
  await using wire = await Announcements.listen(lab.segment)
  const speaker = lab.speaker(true)
  await eventually('every address is announced', () => wire.first.size >= services)
  const at = Math.max(...wire.first.values()) - speaker.startedAt
  await lab.still(speaker, 'metallb_layer2_gratuitous_sent')
  await lab.still(speaker, 'carillon_k8s_writes_total')
  return [
    {
      name: `start of a lone speaker until ${english(services)} addresses are announced`,
      value: at / 1000,
      unit: 's',
    },
    memory(lab, speaker, 'a lone speaker that announces all of them'),
  ]
}

/** Makes one Service after another, each when all is quiet. */
async function probe(user: Dialogue, wire: Announcements): Promise<BenchResult[]> {
  const written: number[] = []
  const announced: number[] = []
  for (let i = 0; i < plan.probes(); i++) {
    const { from, at, address } = await user.ask<Made>(`make ${i}`)
    written.push(at - from)
    await eventually(`${address} is announced`, () => wire.first.has(address))
    announced.push((wire.first.get(address) ?? calendar()) - from)
    await pause(100)
  }
  const rows = (name: string, values: readonly number[], goal: number): BenchResult[] => [
    { name: `${name}, median`, value: quantile(values, 0.5), unit: 'ms' },
    {
      name: `${name}, 99th percentile`,
      value: quantile(values, 0.99),
      unit: 'ms',
      note: `goal: at most ${goal}`,
    },
  ]
  return [
    ...rows('one more Service until its address is in its status', written, 50),
    ...rows('one more Service until its first announcement', announced, 100),
  ]
}

const memory = (lab: ClusterLab, running: Running, what: string, goal?: number): BenchResult => ({
  name: `memory of ${what}`,
  value: lab.memory(running),
  unit: 'MB',
  ...(goal === undefined ? {} : { note: `goal: at most ${goal}` }),
})
