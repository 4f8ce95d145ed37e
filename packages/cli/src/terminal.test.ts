import { expect, it } from 'vitest'
import { paint, type Terminal, table } from './terminal.ts'

const terminal = (colour: boolean): Terminal => ({ print: () => {}, warn: () => {}, colour })

it('aligns columns by what is seen of a cell, without trailing spaces', () => {
  const green = paint(terminal(true), 'green', 'ok')
  expect(
    table(
      ['NAME', 'STATE', 'WHY'],
      [
        ['a', green, ''],
        ['longer', 'pending', 'full'],
      ],
    ),
  ).toBe(['NAME    STATE    WHY', `a       ${green}`, 'longer  pending  full'].join('\n'))
})

it('paints only where there are colours', () => {
  expect(paint(terminal(false), 'red', 'x')).toBe('x')
  expect(paint(terminal(true), 'red', 'x')).not.toBe('x')
})
