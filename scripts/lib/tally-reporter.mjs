import { writeFileSync } from 'node:fs'

/** A vitest reporter that writes what the run came to, skip reasons included, to the file named by CARILLON_TALLY. */
export default class TallyReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const tally = { passed: 0, failed: unhandledErrors.length, skipped: [] }
    for (const module of modules) {
      const tests = [...module.children.allTests()]
      for (const test of tests) {
        const { state, note } = test.result()
        if (state === 'passed') tally.passed++
        else if (state === 'failed') tally.failed++
        else
          tally.skipped.push({
            name: `${module.relativeModuleId} > ${test.fullName}`,
            reason: note ?? 'no reason given',
          })
      }
      // A file that did not load, or whose set-up failed, has no failed test of its own.
      if (module.state() === 'failed' && !tests.some(test => test.result().state === 'failed')) tally.failed++
    }
    writeFileSync(process.env.CARILLON_TALLY, JSON.stringify(tally))
  }
}
