import { expect } from 'vitest'
import { story } from './support/cluster.ts'

for (const [count, ms] of [
  [5, 200],
  [5, 400],
  [5, 1000],
  [5, 5000],
  [15, 1000],
] as const)
  story(
    `one of ${count} nodes that was cut off for ${ms} ms while another died is told of the death when it is back`,
    { profile: 'fast', seeds: count > 5 ? [3] : [1, 2, 3] },
    async cluster => {
      await cluster.form(count)
      for (const name of ['node-1', 'node-2', 'node-3']) {
        await cluster.run(3000)
        const away = cluster.node('node-4')
        cluster.cut(away)
        await cluster.run(50)
        await cluster.kill(cluster.node(name))
        await cluster.run(ms)
        cluster.heal()
        await cluster.until('all who live know who does', 2000, () => cluster.agreed())
        await cluster.run(5000)
        expect(cluster.agreed()).toBe(true)
      }
    },
  )
