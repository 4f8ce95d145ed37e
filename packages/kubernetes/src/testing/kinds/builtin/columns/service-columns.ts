import { fieldsOf, type KubeObject, listOf } from '../../../api/object.ts'
import type { Service } from '../../../service/service.ts'
import { ageColumn, type Column, column, nameColumn } from '../../column.ts'
import { labelsText, unlessEmpty } from './text.ts'

const spec = (object: KubeObject): Service['spec'] => (object as Service).spec

function externalAddresses(object: KubeObject): string {
  const { type, externalIPs = [], externalName } = spec(object)
  if (type === 'ExternalName') return unlessEmpty(externalName ?? '')
  const ingress = (object as Service).status?.loadBalancer?.ingress ?? []
  const balanced = type === 'LoadBalancer' ? ingress.map(({ ip, hostname }) => ip ?? hostname ?? '') : []
  const all = [...new Set([...balanced.toSorted(), ...externalIPs])]
  return type === 'LoadBalancer' && all.length === 0 ? '<pending>' : unlessEmpty(all.join(','))
}

const ports = (object: KubeObject): string =>
  unlessEmpty(
    (spec(object).ports ?? [])
      .map(({ port, nodePort, protocol }) =>
        nodePort === undefined ? `${port}/${protocol}` : `${port}:${nodePort}/${protocol}`,
      )
      .join(','),
  )

/** Services. */
export const serviceColumns: readonly Column[] = [
  nameColumn,
  column('Type', object => spec(object).type ?? ''),
  column('Cluster-IP', object => unlessEmpty(spec(object).clusterIP ?? '')),
  column('External-IP', externalAddresses),
  column('Port(s)', ports),
  ageColumn,
  column('Selector', object => labelsText(spec(object).selector), { wide: true }),
]

const firstFew = (texts: readonly string[]): string => {
  const shown = texts.slice(0, 3).join(',')
  return unlessEmpty(texts.length > 3 ? `${shown} + ${texts.length - 3} more...` : shown)
}

/** Endpoints. */
export const endpointsColumns: readonly Column[] = [
  nameColumn,
  column('Endpoints', object =>
    firstFew(
      listOf(object.subsets).flatMap(subset => {
        const { addresses, ports: numbers } = fieldsOf(subset)
        return listOf(addresses).flatMap(address => {
          const { ip } = fieldsOf(address)
          const known = listOf(numbers)
          return known.length === 0 ? [String(ip)] : known.map(port => `${ip}:${fieldsOf(port).port}`)
        })
      }),
    ),
  ),
  ageColumn,
]

/** EndpointSlices. */
export const endpointSliceColumns: readonly Column[] = [
  nameColumn,
  column('AddressType', object => object.addressType),
  column('Ports', object =>
    object.ports === null
      ? '<unset>'
      : firstFew(listOf(object.ports).map(port => String(fieldsOf(port).port ?? '*'))),
  ),
  column('Endpoints', object =>
    firstFew(
      listOf(object.endpoints).flatMap(endpoint =>
        listOf(fieldsOf(endpoint).addresses).slice(0, 1).map(String),
      ),
    ),
  ),
  ageColumn,
]
