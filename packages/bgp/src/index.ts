/**
 * Announces addresses to routers: BGP-4 with BFD.
 *
 * @packageDocumentation
 */
export type * from './wire/message.ts'
