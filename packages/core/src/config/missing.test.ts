import { describe, expect, it } from 'vitest'
import { missing } from './missing.ts'

describe('a reference that leads nowhere', () => {
  it('is said with the name that was probably meant', () => {
    expect(missing('IPAddressPool', 'frist', ['second', 'first'])).toBe(
      'there is no IPAddressPool "frist" (did you mean "first"?)',
    )
    expect(missing('community', 'no_export', ['no-export'])).toBe(
      'there is no community "no_export" (did you mean "no-export"?)',
    )
  })

  it('is said without one where nothing is near, or only the next number', () => {
    expect(missing('BGPPeer', 'tor', ['spine'])).toBe('there is no BGPPeer "tor"')
    expect(missing('BGPPeer', 'tor-3', ['tor-1', 'tor-2'])).toBe('there is no BGPPeer "tor-3"')
    expect(missing('BGPPeer', 'a', ['b'])).toBe('there is no BGPPeer "a"')
  })
})
