import { writeFileSync } from 'node:fs'

const firstLine = errors => errors?.[0]?.message?.split('\n')[0] ?? 'no reason given'

/**
 * A vitest reporter that writes what the run came to, to the file named by CARILLON_TALLY:
 * `{ files: [{ file, project, passed, failed: [{ name, reason }], skipped: [{ name, reason }] }], failed }`,
 * the last being what failed outside of any file.
 */
export default class TallyReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const outside = error => ({ name: 'outside of a test', reason: firstLine([error]) })
    const tally = { files: modules.map(tallyOf), failed: unhandledErrors.map(outside) }
    writeFileSync(process.env.CARILLON_TALLY, JSON.stringify(tally))
  }
}

function tallyOf(module) {
  const file = module.relativeModuleId
  const tally = { file, project: module.project.name, passed: 0, failed: [], skipped: [] }
  for (const test of module.children.allTests()) {
    const { state, note, errors } = test.result()
    const name = `${file} > ${test.fullName}`
    if (state === 'passed') tally.passed++
    else if (state === 'failed') tally.failed.push({ name, reason: firstLine(errors) })
    else tally.skipped.push({ name, reason: note ?? 'no reason given' })
  }
  // A file that did not load, or whose set-up failed, has no failed test of its own.
  if (module.state() === 'failed' && tally.failed.length === 0)
    tally.failed.push({ name: file, reason: firstLine(module.errors()) })
  return tally
}
