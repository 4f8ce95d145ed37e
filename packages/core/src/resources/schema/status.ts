import * as z from 'zod'
import { immutable, list, text } from './field.ts'

const node = immutable(text('Node that announces the Service.')).optional()
const serviceName = immutable(text('Name of the Service.')).optional()
const serviceNamespace = immutable(text('Namespace of the Service.')).optional()

/** `status` of a ServiceL2Status. */
export const serviceL2Status = z
  .object({
    node,
    serviceName,
    serviceNamespace,
    interfaces: list(
      z
        .object({ name: text('Name of the interface.').optional() })
        .meta({ description: 'An interface of the node.' }),
      'Interfaces on which the Service is announced; absent for all of them.',
    ).optional(),
  })
  .meta({ description: 'Which node announces a Service on the local segment.' })

/** `status` of a ServiceBGPStatus. */
export const serviceBgpStatus = z
  .object({
    node,
    serviceName,
    serviceNamespace,
    peers: list(z.string(), 'Names of the BGPPeers that the node announces the Service to.').optional(),
  })
  .meta({ description: 'To which peers a node announces a Service.' })

/** `status` of a BGPSessionState. */
export const bgpSessionStatus = z
  .object({
    node: immutable(text('Node that has the session.')).optional(),
    peer: immutable(text('Name of the BGPPeer.')).optional(),
    peerAddress: text('Address or interface of the router.').optional(),
    vrf: text('VRF of the session; absent for the default one.').optional(),
    bgpStatus: z
      .enum(['Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established'])
      .meta({ description: 'State of the session, as RFC 4271 names it.' })
      .optional(),
    bfdStatus: z
      .enum(['N/A', 'AdminDown', 'Down', 'Init', 'Up'])
      .meta({ description: 'State of BFD with the router, as RFC 5880 names it; N/A without BFD.' })
      .optional(),
    since: z
      .string()
      .meta({ description: 'When the session was established, or lost.', format: 'date-time' })
      .optional(),
    reason: text('Why the session is not established.').optional(),
  })
  .meta({ description: 'How the BGP session of one node with one peer stands.' })

const condition = z
  .object({
    type: z
      .string()
      .max(316)
      .regex(
        /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/,
      )
      .meta({ description: 'Name of the condition.' }),
    status: z.enum(['True', 'False', 'Unknown']).meta({ description: 'Whether the condition holds.' }),
    reason: z
      .string()
      .min(1)
      .max(1024)
      .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
      .meta({ description: 'One word on why, for programs.' }),
    message: z.string().max(32768).meta({ description: 'Why, for people.' }),
    lastTransitionTime: z
      .string()
      .meta({ description: 'When the status last changed.', format: 'date-time' }),
    observedGeneration: z
      .int()
      .min(0)
      .meta({ description: 'Generation of the object that the condition is about.', format: 'int64' })
      .optional(),
  })
  .meta({ description: 'One aspect of the state of the object.' })

/** `status` of a ConfigurationState. */
export const configurationStatus = z
  .object({
    result: z
      .enum(['Valid', 'Invalid', 'Unknown'])
      .meta({ description: 'Whether the configuration is in force.' })
      .optional(),
    errorSummary: text('What is wrong with the configuration, one line each.').optional(),
    conditions: list(condition, 'The checks and how they ended.')
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
      .optional(),
  })
  .meta({ description: 'What one controller or speaker makes of the configuration.' })
