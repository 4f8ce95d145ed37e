import { expect, it } from 'vitest'
import { type Caller, listenerKeys } from './listener-keys.ts'

const caller = (name: string, address: string, password?: string, passive = false): Caller => ({
  peer: { name, passive, ...(password !== undefined && { password }) },
  address,
})

it('each address has its key, and one that two peers share counts once', () => {
  const { keys, conflicts } = listenerKeys([
    caller('a', '10.0.0.1', 'one'),
    caller('b', '10.0.0.2', 'two'),
    caller('c', '10.0.0.1', 'one'),
    caller('d', '10.0.0.3'),
  ])
  expect(keys).toEqual([
    { address: '10.0.0.1', key: 'one' },
    { address: '10.0.0.2', key: 'two' },
  ])
  expect(conflicts).toEqual([])
})

it('of two keys for one address that of the peer counts which cannot dial, and the other is named', () => {
  const callers = [
    caller('a', '10.0.0.1', 'one'),
    caller('b', '10.0.0.1', 'two', true),
    caller('c', '10.0.0.1'),
  ]
  expect(listenerKeys(callers)).toEqual({
    keys: [{ address: '10.0.0.1', key: 'two' }],
    conflicts: [
      { address: '10.0.0.1', heard: 'b', unheard: 'a' },
      { address: '10.0.0.1', heard: 'b', unheard: 'c' },
    ],
  })
  const unsigned = [caller('a', '10.0.0.1', undefined, true), caller('b', '10.0.0.1', 'two', true)]
  expect(listenerKeys(unsigned)).toEqual({
    keys: [],
    conflicts: [{ address: '10.0.0.1', heard: 'a', unheard: 'b' }],
  })
})
