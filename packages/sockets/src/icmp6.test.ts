import { expect, test } from 'vitest'
import { icmp6Filter } from './icmp6.ts'
import { littleEndian } from './linux.ts'

test('the filter blocks every type but those asked for', () => {
  const view = new DataView(icmp6Filter([135, 136, 1]).buffer)
  const passes = Array.from({ length: 256 }, (_, type) => type).filter(
    type => (view.getUint32((type >> 5) * 4, littleEndian) & (1 << (type & 31))) === 0,
  )
  expect(passes).toEqual([1, 135, 136])
})
