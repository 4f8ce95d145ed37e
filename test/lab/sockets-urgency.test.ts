import { expect, test } from 'vitest'
import { describeLab } from './support/needs.ts'
import { runProgram } from './support/program.ts'

describeLab('an urgent thread', ['setpriv'], () => {
  test('runs in real time, and in turn again', async () => {
    const { err, out } = await runProgram('urgent.ts')
    expect(err).toBe('')
    expect(JSON.parse(out)).toEqual([
      { told: 'realtime', nice: 0, policy: 2 },
      { told: 'none', nice: 0, policy: 0 },
    ])
  })

  test('runs in turn where the capability is missing', async () => {
    const { err, out } = await runProgram('urgent.ts', {
      through: ['setpriv', '--bounding-set=-sys_nice', '--inh-caps=-sys_nice', '--no-new-privs'],
    })
    expect(err).toBe('')
    expect(JSON.parse(out)).toEqual([
      { told: 'none', nice: 0, policy: 0 },
      { told: 'none', nice: 0, policy: 0 },
    ])
  })
})
