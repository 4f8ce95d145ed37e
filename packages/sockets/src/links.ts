import { CarillonError, type Link, type Links } from '@carillon/core'
import { type Attempt, check, errnoOf, failure, throwLater } from './failure.ts'
import { Inbox } from './inbox.ts'
import { linux, littleEndian } from './linux.ts'
import { type Native, type NativeSocket, WANT_NAME } from './native.ts'
import {
  DUMP_INTERRUPTED,
  dumpRequest,
  kinds,
  type NetlinkMessage,
  readErrno,
  readMessages,
} from './netlink/message.ts'
import { LinkTable } from './netlink/table.ts'
import { growReceiveBuffer } from './options.ts'
import { netlinkName } from './sockaddr.ts'

const attempt: Attempt = { opening: 'link events (rtnetlink)' }
/** After a dump that the kernel refused. */
const RETRY_MS = 100

/** Subscribes to link and address notices, then asks for all there is; resolves once the picture is complete. */
export function openLinks(native: Native): Promise<Links> {
  const socket = new native.Socket()
  try {
    check(socket.open(linux.AF_NETLINK, linux.SOCK_RAW, 0), 'socket', attempt)
    growReceiveBuffer(socket, 1024 * 1024)
    const groups = linux.RTMGRP_LINK | linux.RTMGRP_IPV4_IFADDR | linux.RTMGRP_IPV6_IFADDR
    check(socket.bind(netlinkName(groups)), 'bind', attempt)
    return new NetlinkLinks(native, socket).ready
  } catch (error) {
    socket.close()
    return Promise.reject(error)
  }
}

class NetlinkLinks implements Links {
  readonly ready: Promise<Links>
  readonly #socket: NativeSocket
  readonly #inbox: Inbox
  readonly #table = new LinkTable()
  #handles: ((links: readonly Link[]) => void)[] = []
  #told: readonly Link[] = []
  #settle: { resolve(): void; reject(error: unknown): void } | undefined
  /** What is being dumped; links come before addresses. */
  #dumping: typeof kinds.getLink | typeof kinds.getAddress | undefined
  #again = false
  #sequence = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #open = true

  constructor(native: Native, socket: NativeSocket) {
    this.#socket = socket
    this.#inbox = new Inbox(native.arena)
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve: () => resolve(this), reject }
    })
    check(socket.receive(WANT_NAME, this.#batch), 'uv_poll', attempt)
    this.#resync()
  }

  current(): readonly Link[] {
    return this.#told
  }

  changed(handle: (links: readonly Link[]) => void): void {
    this.#handles.push(handle)
  }

  /** Dumps everything anew: at the start, and after notices were lost. */
  #resync(): void {
    if (this.#dumping !== undefined) {
      this.#again = true
      return
    }
    this.#again = false
    this.#table.beginDump()
    this.#request(kinds.getLink)
  }

  #request(kind: typeof kinds.getLink | typeof kinds.getAddress): void {
    this.#dumping = kind
    this.#sequence++
    const result = this.#socket.sendTo(dumpRequest(kind, this.#sequence), netlinkName(0))
    if (result < 0) this.#refused(result)
  }

  #refused(errno: number): void {
    this.#dumping = undefined
    if (this.#settle) {
      this.#settle.reject(failure(errno, 'dump', attempt))
      this.#settle = undefined
      this.#close()
      return
    }
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#resync(), RETRY_MS)
  }

  readonly #batch = (count: number): void => {
    // The kernel had no room for a notice (ENOBUFS): what we know may be wrong.
    if (count < 0) this.#resync()
    for (let slot = 0; slot < count && this.#open; slot++) {
      const datagram = this.#inbox.message(slot)
      const port = new DataView(this.#inbox.name(slot).slice().buffer).getUint32(4, littleEndian)
      // Only the kernel has port 0.
      if (port === 0) this.#read(datagram)
    }
    if (this.#open && this.#dumping === undefined) this.#tell()
  }

  #read(datagram: Uint8Array | undefined): void {
    if (datagram === undefined) {
      this.#resync()
      return
    }
    try {
      for (const message of readMessages(datagram)) this.#take(message)
    } catch (error) {
      if (!(error instanceof CarillonError)) throw error
      this.#resync()
    }
  }

  #take(message: NetlinkMessage): void {
    const ours = message.sequence === this.#sequence && this.#dumping !== undefined
    if (ours && message.flags & DUMP_INTERRUPTED) this.#again = true
    if (message.kind === kinds.overrun) this.#resync()
    else if (message.kind === kinds.error && ours) this.#refused(readErrno(message))
    else if (message.kind === kinds.done && ours) this.#dumped(readErrno(message))
    else this.#table.apply(message)
  }

  #dumped(errno: number): void {
    if (errno < 0) this.#refused(errno)
    else if (this.#dumping === kinds.getLink) this.#request(kinds.getAddress)
    else {
      this.#dumping = undefined
      if (this.#again) this.#resync()
      else this.#table.endDump()
    }
  }

  #tell(): void {
    const links = this.#table.current()
    const changed = links !== this.#told
    this.#told = links
    if (this.#settle) {
      this.#settle.resolve()
      this.#settle = undefined
      return
    }
    if (!changed) return
    for (const handle of this.#handles) {
      try {
        handle(links)
      } catch (error) {
        throwLater(error)
      }
    }
  }

  #close(): void {
    this.#open = false
    clearTimeout(this.#retry)
    this.#socket.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#handles = []
    this.#close()
    this.#settle?.reject(failure(errnoOf('ECANCELED'), 'close', attempt))
    this.#settle = undefined
  }
}
