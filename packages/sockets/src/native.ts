import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CarillonError } from '@carillon/core'

/** A socket of the addon. Every method gives 0 or a count, or a negative errno, and throws for wrong arguments only. */
export interface NativeSocket {
  open(domain: number, type: number, protocol: number): number
  /** Opens another descriptor of a socket that somebody else owns, to set options on; closing this one leaves that open. */
  adopt(descriptor: number): number
  /** May be called again. */
  close(): void
  /** As `close`, but on the thread pool: closing a packet socket takes the kernel some milliseconds. Never rejects. */
  closeLater(): Promise<void>
  /** The descriptor, which now belongs to the caller; the socket is closed. */
  detach(): number
  /** Another descriptor of the same socket, which belongs to the caller. */
  duplicate(): number
  setInt(level: number, option: number, value: number): number
  setBytes(level: number, option: number, value: Uint8Array): number
  getBytes(level: number, option: number, into: Uint8Array): number
  /** Replaces the classic BPF program; no bytes remove it. */
  filter(program: Uint8Array): number
  bind(name: Uint8Array): number
  connect(name: Uint8Array): number
  localName(into: Uint8Array): number
  remoteName(into: Uint8Array): number
  listen(backlog: number): number
  send(bytes: Uint8Array): number
  sendTo(bytes: Uint8Array, name: Uint8Array): number
  /** Calls the handler with the number of arena slots filled, or with a negative errno. */
  receive(flags: number, handle: (count: number) => void): number
  /** Calls the handler once, when the socket can be written to or has failed. */
  writable(handle: () => void): number
}

/** Where batches are read into. One for all sockets of a thread: valid only during a receive handler. */
export interface Arena {
  readonly slots: number
  readonly slotSize: number
  readonly nameSize: number
  readonly data: Uint8Array
  /** Sender addresses (`struct sockaddr`), `nameSize` bytes a slot. */
  readonly names: Uint8Array
  /** Bytes in each slot; -1: the message was longer than a slot. */
  readonly lengths: Int32Array
  /** TTL or hop limit of each message; -1: not known. */
  readonly hopLimits: Int32Array
}

/** What `receive` fills in beside the data. */
export const WANT_NAME = 1
export const WANT_HOP_LIMIT = 2

export interface Native {
  readonly Socket: new () => NativeSocket
  readonly arena: Arena
  /** 0 when there is no such interface. */
  interfaceIndex(name: string): number
  /** Empty when there is no such interface. */
  interfaceName(index: number): string
  /** Sets the scheduling policy of the calling thread; 0 or a negative errno. */
  schedule(policy: number, priority: number): number
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

function load(): Native {
  const require = createRequire(import.meta.url)
  const folder = join(root, 'prebuilds', `${process.platform}-${process.arch}`)
  const prebuilt = existsSync(folder) ? readdirSync(folder).filter(file => file.endsWith('.node')) : []
  // What was compiled here was compiled for here.
  const candidates = [join(root, 'build', 'sockets.node'), ...prebuilt.map(file => join(folder, file))]
  let cause: unknown
  for (const file of candidates) {
    if (!existsSync(file)) continue
    try {
      return require(file) as Native
    } catch (error) {
      // Made for another C library, most likely: another file may fit.
      cause = error
    }
  }
  throw unavailable(
    `it is not built; run "node ${join(root, 'scripts', 'build-native.mjs')}", which needs g++`,
    cause,
  )
}

function unavailable(why: string, cause?: unknown): CarillonError {
  return new CarillonError(
    'SOCKETS_UNAVAILABLE',
    `the native part of @carillon/sockets is not there: ${why}`,
    { platform: process.platform, arch: process.arch },
    { cause },
  )
}

let loaded: Native | undefined

/** The addon, loaded on first use. Throws `SOCKETS_UNAVAILABLE`. */
export function native(): Native {
  if (process.platform !== 'linux') throw unavailable(`it works on Linux only, this is ${process.platform}`)
  loaded ??= load()
  return loaded
}
