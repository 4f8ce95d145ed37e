import { expect, it } from 'vitest'
import { gatewaysOf } from './next-hops.ts'

it('finds one next hop, several, or none', () => {
  const one = '[{"dst":"10.99.0.100","gateway":"10.77.0.11","dev":"eth0","protocol":"bird","flags":[]}]'
  const many =
    '[{"dst":"10.99.0.100","protocol":"bgp","nexthops":[{"gateway":"10.77.0.11","weight":1},{"gateway":"10.77.0.12","weight":1}]}]'
  expect(gatewaysOf(one, '10.99.0.100')).toEqual(['10.77.0.11'])
  expect(gatewaysOf(many, '10.99.0.100')).toEqual(['10.77.0.11', '10.77.0.12'])
  expect(gatewaysOf('[]', '10.99.0.100')).toEqual([])
  expect(gatewaysOf('', '10.99.0.100')).toEqual([])
})

it('does not take a wider route for the one of the address', () => {
  expect(gatewaysOf('[{"dst":"default","gateway":"10.77.0.1"}]', '10.99.0.100')).toEqual([])
  expect(gatewaysOf('[{"dst":"fd99::100","gateway":"fd77::11"}]', 'fd99::100')).toEqual(['fd77::11'])
})
