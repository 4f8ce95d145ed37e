import { type BpfInstruction, CarillonError, type Frames } from '@carillon/core'
import type { Departures } from './departures.ts'
import { type Attempt, check, errnoName, errnoOf, failure, throwLater } from './failure.ts'
import { encodeProgram } from './filter.ts'
import { Inbox } from './inbox.ts'
import { linux, littleEndian } from './linux.ts'
import type { Native, NativeSocket } from './native.ts'
import { growReceiveBuffer, socketError } from './options.ts'
import { packetName } from './sockaddr.ts'

/** Enough for 5,000 small frames, so for a quarter of a second of 20,000 frames/s. */
const RECEIVE_BUFFER = 4 * 1024 * 1024

/** Opens a packet socket. Its filter is in place before the first frame can arrive. */
export function openFrames(
  native: Native,
  departures: Departures,
  link: number,
  etherType: number,
  filter: readonly BpfInstruction[] | undefined,
): Frames {
  const type = `0x${etherType.toString(16).padStart(4, '0')}`
  const name = native.interfaceName(link)
  const attempt: Attempt = {
    opening: `packet socket for EtherType ${type} on ${name ? `interface ${name}` : `interface index ${link}`}`,
    needs: 'CAP_NET_RAW',
    details: { link, etherType },
  }
  const socket = new native.Socket()
  try {
    // With protocol 0 nothing is received until bind names the EtherType.
    check(socket.open(linux.AF_PACKET, linux.SOCK_RAW, 0), 'socket', attempt)
    check(socket.setInt(linux.SOL_PACKET, linux.PACKET_IGNORE_OUTGOING, 1), 'PACKET_IGNORE_OUTGOING', attempt)
    growReceiveBuffer(socket, RECEIVE_BUFFER)
    if (filter) attachFilter(socket, filter, attempt)
    check(socket.bind(packetName(link, etherType)), 'bind', attempt)
    const frames = new PacketFrames(native, departures, socket, link, attempt)
    const error = socketError(socket)
    if (error < 0) frames.failed(error)
    return frames
  } catch (error) {
    socket.close()
    throw error
  }
}

function attachFilter(socket: NativeSocket, program: readonly BpfInstruction[], attempt: Attempt): void {
  const result = socket.filter(encodeProgram(program))
  const errno = result < 0 ? errnoName(result) : undefined
  // More than 4,096 instructions are EINVAL; a program over the socket's memory limit is ENOMEM.
  if (errno === 'ENOMEM' || (errno === 'EINVAL' && program.length > 4096)) {
    throw new CarillonError(
      'FILTER_TOO_LARGE',
      `${attempt.opening}: the kernel has no room for a filter of ${program.length} instructions (net.core.optmem_max)`,
      { ...attempt.details, errno, instructions: program.length },
    )
  }
  check(result, 'SO_ATTACH_FILTER', attempt)
}

/**
 * Frames over AF_PACKET. The socket outlives its interface going down and up again (the kernel takes it up by itself) and
 * is closed when the interface is removed.
 */
class PacketFrames implements Frames {
  readonly #socket: NativeSocket
  readonly #native: Native
  readonly #departures: Departures
  readonly #inbox: Inbox
  readonly #link: number
  readonly #attempt: Attempt
  readonly #statistics = new Uint8Array(8)
  #handle: (frame: Uint8Array) => void = () => {}
  #closedHandles: ((error: Error) => void)[] = []
  #error: Error | undefined
  #open = true
  #ended: Promise<void> = Promise.resolve()
  #received = 0
  #sent = 0
  #sendErrors = 0
  #dropped = 0

  constructor(native: Native, departures: Departures, socket: NativeSocket, link: number, attempt: Attempt) {
    this.#native = native
    this.#departures = departures
    this.#socket = socket
    this.#inbox = new Inbox(native.arena)
    this.#link = link
    this.#attempt = attempt
  }

  /** `dropped`: what the kernel had no room for, and frames over 64 KiB. */
  get stats(): { received: number; sent: number; sendErrors: number; dropped: number } {
    if (this.#open) this.#countDrops()
    return {
      received: this.#received,
      sent: this.#sent,
      sendErrors: this.#sendErrors,
      dropped: this.#dropped,
    }
  }

  send(frame: Uint8Array): void {
    if (this.#socket.send(frame) < 0) this.#sendErrors++
    else this.#sent++
  }

  receive(handle: (frame: Uint8Array) => void): void {
    this.#handle = handle
    if (this.#open) check(this.#socket.receive(0, this.#batch), 'uv_poll', this.#attempt)
  }

  setFilter(program: readonly BpfInstruction[]): void {
    if (this.#open) attachFilter(this.#socket, program, this.#attempt)
  }

  closed(handle: (error: Error) => void): void {
    const error = this.#error
    if (error) queueMicrotask(() => handle(error))
    else this.#closedHandles.push(handle)
  }

  readonly #batch = (count: number): void => {
    if (count < 0) this.failed(count)
    const inbox = this.#inbox
    for (let slot = 0; slot < count && this.#open; slot++) {
      const frame = inbox.message(slot)
      if (frame === undefined) {
        this.#dropped++
        continue
      }
      this.#received++
      try {
        this.#handle(frame)
      } catch (error) {
        throwLater(error)
      }
    }
  }

  /** Takes note of an error of the socket: the interface is down, or the socket is of no more use. */
  failed(result: number): void {
    const errno = errnoName(result)
    if (errno === 'ENOBUFS' || errno === 'ENOMEM') return
    if (errno === 'ENETDOWN' && this.#native.interfaceName(this.#link) !== '') {
      // If the interface is removed while down, the kernel does not tell the socket.
      this.#departures.watch(this.#link, this.#gone)
    } else this.#gone()
  }

  readonly #gone = (): void => {
    if (!this.#open) return
    const gone = this.#native.interfaceName(this.#link) === ''
    const error = failure(errnoOf(gone ? 'ENODEV' : 'ENXIO'), 'receive', this.#attempt)
    this.#error = error
    void this.#close()
    for (const handle of this.#closedHandles.splice(0)) {
      try {
        handle(error)
      } catch (thrown) {
        throwLater(thrown)
      }
    }
  }

  #countDrops(): void {
    // The kernel counts from the last time it was asked.
    if (this.#socket.getBytes(linux.SOL_PACKET, linux.PACKET_STATISTICS, this.#statistics) < 8) return
    this.#dropped += new DataView(this.#statistics.buffer).getUint32(4, littleEndian)
  }

  #close(): Promise<void> {
    if (!this.#open) return this.#ended
    this.#countDrops()
    this.#open = false
    this.#departures.forget(this.#gone)
    this.#ended = this.#socket.closeLater()
    return this.#ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closedHandles = []
    await this.#close()
  }
}
