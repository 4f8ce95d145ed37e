import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { monotonic } from './asker.ts'
import { ended, Segment } from './segment.ts'

/** Milliseconds from a fault until the first and the last of the other agents know. */
export interface Detection {
  readonly firstMs: number
  readonly lastMs: number
}

/** How long serf's agents (memberlist with its LAN profile) take to see that one of them is cut off or killed. */
export async function serfDetection(
  fault: 'cut' | 'killed',
  count: number,
  runs: number,
): Promise<readonly Detection[]> {
  const found: Detection[] = []
  await using segment = await Segment.build('serf', count)
  const [victim] = segment.nodes
  if (!victim) return found
  for (let run = 0; run < runs; run++) {
    const met = new Set<string>()
    const times = new Map<string, number>()
    const agents = segment.nodes.map(({ name, number, address }) => {
      const join = number === 1 ? [] : [`-retry-join=${victim.address}`, '-retry-interval=1s']
      const words = [`-node=${name}`, `-bind=${address}`, '-profile=lan', '-log-level=info', ...join]
      const agent = segment.spawn(name, ['serf', 'agent', ...words], true)
      if (agent.stdout)
        createInterface(agent.stdout).on('line', line => {
          const [, event, whom] = /serf: (EventMember\w+): (\S+)/.exec(line) ?? []
          if (event === 'EventMemberJoin') met.add(`${name} ${whom}`)
          else if (event === 'EventMemberFailed' && whom === victim.name && name !== victim.name)
            if (!times.has(name)) times.set(name, monotonic())
        })
      return agent
    })
    await wait(20_000, () => met.size === count * count)
    if (met.size < count * count) throw new Error('the serf agents did not find each other within 20 s')
    await pause(2000 + Math.random() * 1000)
    const at = monotonic()
    if (fault === 'cut') await segment.cut(victim)
    else agents[0]?.kill('SIGKILL')
    await wait(60_000, () => times.size === count - 1)
    const took = [...times.values()].map(time => time - at)
    if (took.length > 0) found.push({ firstMs: Math.min(...took), lastMs: Math.max(...took) })
    for (const agent of agents) agent.kill('SIGKILL')
    await Promise.all(agents.map(ended))
    await segment.heal(victim)
  }
  return found
}

async function wait(ms: number, reached: () => boolean): Promise<void> {
  for (const end = monotonic() + ms; !reached() && monotonic() < end; ) await pause(10)
}
