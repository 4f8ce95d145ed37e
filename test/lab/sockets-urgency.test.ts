import { getPriority } from 'node:os'
import { expect, test } from 'vitest'
import { describeLab } from './support/needs.ts'
import { runProgram } from './support/program.ts'

describeLab('an urgent thread', ['setpriv'], () => {
  const nice = getPriority()

  test('runs in real time, and in turn again', async () => {
    const { err, out } = await runProgram('urgent.ts')
    expect(err).toBe('')
    expect(JSON.parse(out)).toEqual([
      { told: 'realtime', nice, policy: 2 },
      { told: 'none', nice, policy: 0 },
    ])
  })

  test('runs in turn where the capability is missing', async () => {
    const { err, out } = await runProgram('urgent.ts', {
      through: ['setpriv', '--bounding-set=-sys_nice', '--inh-caps=-sys_nice', '--no-new-privs'],
    })
    expect(err).toBe('')
    expect(JSON.parse(out)).toEqual([
      { told: 'none', nice, policy: 0 },
      { told: 'none', nice, policy: 0 },
    ])
  })
})
