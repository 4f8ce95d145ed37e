import type { Counters } from './counters.ts'
import type { AddressTable, OwnedAddress } from './owned.ts'

/** What a responder is given: an interface as it is now, and where its findings go. */
export interface ResponderWorld {
  /** Of the interface; what we answer with. */
  readonly mac: Uint8Array
  readonly table: AddressTable
  readonly counters: Counters
  /** The frame is free to be changed when this returns. */
  send(frame: Uint8Array): void
  /** Whether the six bytes at `at` are the MAC address of any interface of this host. */
  isOwnMac(frame: Uint8Array, at: number): boolean
  /** Another station claims an address that we own; its MAC address stands at `at`. */
  claimed(owned: OwnedAddress, frame: Uint8Array, at: number): void
}

/** Speaks one protocol for the addresses of one interface. */
export interface Responder {
  /** Deals with a frame from the wire, of which it keeps nothing. Never throws. */
  receive(frame: Uint8Array): void
  /** Tells everyone on the segment that the address is here. */
  announce(owned: OwnedAddress): void
}

/** Whether the six bytes at `at` can be one station's MAC address: no group, not all zero. */
export function isStation(frame: Uint8Array, at: number): boolean {
  if (((frame[at] as number) & 1) === 1) return false
  return (
    ((frame[at] as number) |
      (frame[at + 1] as number) |
      (frame[at + 2] as number) |
      (frame[at + 3] as number) |
      (frame[at + 4] as number) |
      (frame[at + 5] as number)) !==
    0
  )
}

/** Whether the six bytes at `at` are this MAC address. */
export function isMac(frame: Uint8Array, at: number, mac: Uint8Array): boolean {
  return (
    frame[at + 5] === mac[5] &&
    frame[at + 4] === mac[4] &&
    frame[at + 3] === mac[3] &&
    frame[at + 2] === mac[2] &&
    frame[at + 1] === mac[1] &&
    frame[at] === mac[0]
  )
}
