import { CarillonError, formatEndpoint } from '@carillon/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseEndpoint } from './endpoint.ts'

describe('an address and port on the command line', () => {
  it.each([
    ['127.0.0.1:7472', { address: '127.0.0.1', port: 7472 }],
    ['[::1]:80', { address: '::1', port: 80 }],
    ['[2001:DB8:0:0::1]:80', { address: '2001:db8::1', port: 80 }],
  ])('%s is read, and written again in one way', (text, endpoint) => {
    expect(parseEndpoint('--http', text)).toEqual(endpoint)
    expect(parseEndpoint('--http', formatEndpoint(endpoint))).toEqual(endpoint)
  })

  it.each(['10.0.0.1', 'fd00::1', '[fd00::1]'])('%s takes the default port where there is one', text => {
    expect(parseEndpoint('--gossip-bind', text, 7946).port).toBe(7946)
    if (!text.includes('::') || text.startsWith('['))
      expect(() => parseEndpoint('--http', text)).toThrow(/port is missing/)
  })

  it.each(['', 'host:80', '1.2.3.4:', '1.2.3.4:99999', '1.2.3.4:-1', '300.1.1.1:80', '[::1', '::1]:80'])(
    '%j is refused with the flag named',
    text => {
      expect(() => parseEndpoint('--http', text)).toThrow(/^--http /)
    },
  )

  it('is read or refused with a code, whatever is written', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        try {
          parseEndpoint('--http', text)
        } catch (error) {
          expect(error).toBeInstanceOf(CarillonError)
        }
      }),
    )
  })
})
