import { afterEach, beforeEach, expect, it, vi } from 'vitest'

let printed = ''
beforeEach(() => {
  printed = ''
  vi.spyOn(process.stdout, 'write').mockImplementation(text => {
    printed += String(text)
    return true
  })
})
afterEach(() => vi.restoreAllMocks())

it('the example of a tested controller runs', async () => {
  await import(new URL('../../examples/testing-a-controller/main.ts', import.meta.url).href)
  expect(printed).toBe('web has 192.0.2.1\napi has 192.0.2.2\n2 writes\n')
})
