import { expect, test } from 'vitest'
import { encodeProgram } from './filter.ts'
import { littleEndian } from './linux.ts'

test('an instruction takes eight bytes in the order of the machine', () => {
  const bytes = [...encodeProgram([{ code: 0x15, jt: 1, jf: 2, k: 0xfffff038 }])]
  expect(bytes).toEqual(
    littleEndian ? [0x15, 0, 1, 2, 0x38, 0xf0, 0xff, 0xff] : [0, 0x15, 1, 2, 0xff, 0xff, 0xf0, 0x38],
  )
})
