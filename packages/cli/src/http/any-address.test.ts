import { describe, expect, it } from 'vitest'
import { anyAddress } from './any-address.ts'

describe('the address that stands for all of a host', () => {
  it('is that of IPv6, which hears IPv4 as well', async () => {
    expect(await anyAddress(async () => {})).toBe('::')
  })

  it('is that of IPv4 on a host without IPv6', async () => {
    const none = Object.assign(new Error('address family not supported'), { code: 'EAFNOSUPPORT' })
    expect(await anyAddress(() => Promise.reject(none))).toBe('0.0.0.0')
  })
})
