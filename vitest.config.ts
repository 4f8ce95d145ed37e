import { env } from 'node:process'
import { configDefaults, defineConfig } from 'vitest/config'

const conditions = ['@carillon/source']
// Takes minutes, and measures rather than tests; see its first line.
const figures = env.CARILLON_FIGURES === undefined ? ['test/cluster/figures.test.ts'] : []
/**
 * Milliseconds for what only computes. `npm test` lets it give way to the labs, beside which four seconds may become fifty; so that only
 * one that hangs takes longer.
 */
const patienceMs = 180_000
const shared = { resolve: { conditions }, ssr: { resolve: { conditions } } }

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: 'unit',
          maxWorkers: '100%',
          include: ['packages/*/src/**/*.test.ts', 'test/security/**/*.test.ts'],
          testTimeout: patienceMs,
          hookTimeout: patienceMs,
        },
      },
      {
        // Whole clusters in memory, and what fuzzing has found: much to compute, and nothing that depends on the release of Node.
        ...shared,
        test: {
          name: 'cluster',
          maxWorkers: '100%',
          include: ['test/{cluster,fuzz}/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...figures],
          testTimeout: patienceMs,
          hookTimeout: patienceMs,
        },
      },
      {
        ...shared,
        test: {
          name: 'repository',
          maxWorkers: '100%',
          include: ['test/{acceptance,checks,docs,kube}/**/*.test.ts', 'test/soak/{schedule,wanted}.test.ts'],
          testTimeout: patienceMs,
          hookTimeout: patienceMs,
        },
      },
      {
        // On what is published, not on sources.
        test: {
          name: 'packages',
          include: ['test/packages/**/*.test.ts'],
          globalSetup: 'test/packages/support/setup.mjs',
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        ...shared,
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts', 'test/interop/**/*.test.ts', 'test/soak/soak.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // They wait more than they compute; more than two at once would disturb each other.
          maxWorkers: 2,
        },
      },
    ],
  },
})
