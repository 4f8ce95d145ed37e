import { writeFileSync } from 'node:fs'

const firstLine = errors => errors?.[0]?.message?.split('\n')[0] ?? 'no reason given'

/** A vitest reporter that writes what the run came to, why tests failed or were skipped, to the file named by CARILLON_TALLY. */
export default class TallyReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const tally = {
      passed: 0,
      failed: unhandledErrors.map(error => ({ name: 'outside of a test', reason: firstLine([error]) })),
      skipped: [],
    }
    for (const module of modules) {
      const tests = [...module.children.allTests()]
      for (const test of tests) {
        const { state, note, errors } = test.result()
        const name = `${module.relativeModuleId} > ${test.fullName}`
        if (state === 'passed') tally.passed++
        else if (state === 'failed') tally.failed.push({ name, reason: firstLine(errors) })
        else tally.skipped.push({ name, reason: note ?? 'no reason given' })
      }
      // A file that did not load, or whose set-up failed, has no failed test of its own.
      if (module.state() === 'failed' && !tests.some(test => test.result().state === 'failed'))
        tally.failed.push({ name: module.relativeModuleId, reason: firstLine(module.errors()) })
    }
    writeFileSync(process.env.CARILLON_TALLY, JSON.stringify(tally))
  }
}
