import { expect, test } from 'vitest'
import { check, errnoName, errnoOf, failure } from './failure.ts'

const attempt = { opening: 'UDP on 10.0.0.1:53', needs: 'CAP_NET_BIND_SERVICE' } as const

test('a refusal says what was being opened, at which step, and what the kernel said', () => {
  const error = failure(errnoOf('EADDRINUSE'), 'bind', attempt)
  expect(error.message).toBe('UDP on 10.0.0.1:53: bind: EADDRINUSE, another socket has this address and port')
  expect(error).toMatchObject({ code: 'EADDRINUSE', details: { errno: 'EADDRINUSE', step: 'bind' } })
})

test('a missing permission says which capability it takes and how to give it', () => {
  const { message } = failure(errnoOf('EACCES'), 'bind', attempt)
  expect(message).toContain('CAP_NET_BIND_SERVICE is missing')
  expect(message).toContain('capabilities.add: ["NET_BIND_SERVICE"]')
})

test('where no capability helps none is named', () => {
  expect(failure(errnoOf('EPERM'), 'connect', { opening: 'TCP to 10.0.0.1:179' }).message).not.toContain(
    'CAP_',
  )
})

test('an errno without a name keeps its number', () => {
  expect(errnoName(-4095)).toBe('errno 4095')
})

test('a count passes', () => {
  expect(check(3, 'bind', attempt)).toBe(3)
})
