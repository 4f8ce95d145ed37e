import { describe, expect, it } from 'vitest'
import { Patience } from './patience.ts'

describe('patience of 240 ms', () => {
  it('is the same with everybody who is never silent for long', () => {
    const patience = new Patience(240)
    patience.ended('a', 160, 0)
    expect(patience.with('a', 0)).toBe(240)
    expect(patience.with('b', 0)).toBe(240)
  })

  it('is half as long again as a silence that ended, with that member alone', () => {
    const patience = new Patience(240)
    patience.ended('a', 300, 0)
    expect(patience.with('a', 1)).toBe(450)
    expect(patience.with('b', 1)).toBe(240)
  })

  it('goes by the longest silence of the last minute', () => {
    const patience = new Patience(240)
    patience.ended('a', 400, 0)
    patience.ended('a', 200, 30_000)
    expect(patience.with('a', 59_999)).toBe(600)
    expect(patience.with('a', 60_000)).toBe(240)
    patience.ended('a', 200, 60_000)
    expect(patience.with('a', 60_001)).toBe(300)
  })

  it('has an end at four times as much', () => {
    const patience = new Patience(240)
    patience.ended('a', 900, 0)
    expect(patience.with('a', 0)).toBe(960)
  })

  it('learns nothing from somebody who was away', () => {
    const patience = new Patience(240)
    patience.ended('a', 5000, 0)
    expect(patience.with('a', 0)).toBe(240)
  })

  it('forgets whom it is told to', () => {
    const patience = new Patience(240)
    patience.ended('a', 300, 0)
    patience.forget('a')
    expect(patience.with('a', 0)).toBe(240)
  })
})
