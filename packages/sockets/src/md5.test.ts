import { expect, test } from 'vitest'
import { md5Changes, md5Signature } from './md5.ts'

const zones = { interfaceIndex: () => 0, interfaceName: () => '' }

test('a key lies where the kernel looks for it', () => {
  const signature = md5Signature(4, { address: '10.0.0.1', key: 'secret' }, false, zones)
  expect(signature).toHaveLength(216)
  expect([...signature.subarray(4, 8)]).toEqual([10, 0, 0, 1])
  expect([...signature.subarray(128, 130)]).toEqual([0, 0])
  expect(new TextDecoder().decode(signature.subarray(136, 142))).toBe('secret')
})

test('a prefix is flagged, and an entry to remove has no key', () => {
  const entry = { address: '10.0.0.0', prefixLength: 24, key: 'secret' }
  expect([...md5Signature(4, entry, false, zones).subarray(128, 130)]).toEqual([1, 24])
  expect(
    md5Signature(4, entry, true, zones)
      .subarray(130)
      .every(byte => byte === 0),
  ).toBe(true)
})

test('a key that does not fit is refused, without being told', () => {
  const make = () => md5Signature(4, { address: '10.0.0.1', key: 'hush'.repeat(21) }, false, zones)
  expect(make).toThrow('the TCP-MD5 key for 10.0.0.1 has 84 bytes, 1 to 80 are possible')
  expect(make).not.toThrow(/hush/)
})

test('a new set of keys touches only what differs', () => {
  const kept = { address: '10.0.0.1', key: 'a' }
  const gone = { address: '10.0.0.2', key: 'b' }
  const other = { address: '10.0.0.3', key: 'c' }
  const rekeyed = { address: '10.0.0.3', key: 'd' }
  const wider = { address: '10.0.0.0', prefixLength: 24, key: 'e' }
  expect(md5Changes([kept, gone, other], [rekeyed, kept, wider])).toEqual({
    remove: [gone],
    set: [rekeyed, wider],
  })
})
