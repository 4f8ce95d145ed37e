import { env } from 'node:process'
import { expect, it } from 'vitest'
import { describeLab } from '../lab/support/needs.ts'
import type { SourceName } from './fault.ts'
import { Soak, type SoakResult } from './soak.ts'
import { SoakLab } from './soak-lab.ts'

/** As a default short enough for every run of all tests; `npm run soak` sets all three. */
const seconds = Number(env.CARILLON_SOAK_SECONDS ?? 50)
const sources = (env.CARILLON_SOAK_SOURCE ?? 'files,kubernetes').split(',') as SourceName[]
const seed = Number(env.CARILLON_SOAK_SEED ?? Date.now() % 1_000_000)

const say = (line: string): boolean => process.stdout.write(`${line}\n`)

function table({ settled }: SoakResult): readonly string[] {
  return [...settled].toSorted().map(([kind, times]) => {
    const worst = (of: 'struck' | 'over'): number => Math.max(...times.map(time => time[of]))
    return `  ${kind}: ${times.length} times, right after at most ${worst('struck')} ms, and ${worst('over')} ms after its end`
  })
}

describeLab(
  'Five nodes with a thousand addresses',
  ['bird', 'python3', 'prlimit', 'mount', 'faketime'],
  () => {
    // Not repeated: what fails once in a while is what it is there to find.
    it.each(sources)(
      'told by %s go through random faults: every address has one owner soon after each, the router knows what the living announce, and nobody dies or grows',
      {
        timeout: (seconds + 300) * 1000,
        retry: 0,
      },
      async source => {
        say(`soak: ${seconds} s with seed ${seed}, told by ${source}`)
        await using lab = await SoakLab.build(source)
        const result = await new Soak(lab, source, seed, say).run(seconds)
        const [first, last] = [result.memory.at(0), result.memory.at(-1)]
        const faults = [...result.faults].toSorted().map(([kind, times]) => `${times} ${kind}`)
        say(`soak: ${result.rounds} rounds, ${result.looks} looks; ${faults.join(', ')}`)
        const quarters = result.memory.slice(1, -1).join(', ')
        say(
          `soak: node-a held ${first} kB at first, ${quarters} in the quarters of the run, and ${last} at last`,
        )
        for (const line of table(result)) say(line)
        expect(result.rounds).toBeGreaterThan(0)
      },
    )
  },
)
