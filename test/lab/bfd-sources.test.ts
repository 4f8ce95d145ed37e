import { expect, test } from 'vitest'
import { Namespace } from './support/namespace.ts'
import { describeLab } from './support/needs.ts'
import { runProgram } from './support/program.ts'

describeLab('BFD in threads that run our sources', [], () => {
  test('comes up, is closed, and keeps the process alive no longer', async () => {
    const host = new Namespace('bfd')
    try {
      const { err, out, status } = await host.inside(() => runProgram('bfd-alone.ts'))
      expect({ err, out, status }).toEqual({ err: '', out: '["peer-admin-down"]', status: 0 })
    } finally {
      host.remove()
    }
  })
})
