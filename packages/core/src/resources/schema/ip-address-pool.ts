import * as z from 'zod'
import { flag, integer, list, text } from './field.ts'
import { selectors } from './label-selector.ts'

const serviceAllocation = z
  .object({
    priority: integer(
      'Order among the pools that a Service may use: lower numbers first, 0 last.',
    ).optional(),
    namespaces: list(z.string(), 'Namespaces whose Services may use the pool.').optional(),
    namespaceSelectors: selectors('Namespaces by label, in addition to those named.').optional(),
    serviceSelectors: selectors('Services by label that may use the pool; empty for any.').optional(),
  })
  .meta({ description: 'Keeps the pool to some Services, and orders it among other pools.' })

/** `spec` of an IPAddressPool. */
export const ipAddressPoolSpec = z
  .object({
    addresses: list(
      text('A CIDR such as 192.0.2.0/24, or a range such as 192.0.2.10-192.0.2.20.'),
      'Addresses of the pool, handed out in this order.',
    ),
    autoAssign: flag('Whether Services that ask for no pool and no address get one from here.').default(true),
    avoidBuggyIPs: flag('Never hand out IPv4 addresses that end in .0 or .255.').default(false),
    serviceAllocation: serviceAllocation.optional(),
  })
  .meta({ description: 'The addresses and who may have them.' })

/** `status` of an IPAddressPool. */
export const ipAddressPoolStatus = z
  .object({
    assignedIPv4: integer('IPv4 addresses in use.', { format: 'int64' }),
    assignedIPv6: integer('IPv6 addresses in use.', { format: 'int64' }),
    availableIPv4: integer('IPv4 addresses left.', { format: 'int64' }),
    availableIPv6: integer('IPv6 addresses left.', { format: 'int64' }),
  })
  .meta({ description: 'How full the pool is.' })
