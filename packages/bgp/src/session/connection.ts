import { CarillonError, type Clock, type Stream } from '@carillon/core'
import { type Decoded, type Dialect, decodeMessage, encodeMessage, Framer, WireFault } from '../wire/index.ts'
import type { Message } from '../wire/message.ts'

/** What a connection tells its owner. */
export interface ConnectionListener {
  /** A whole message. */
  message(decoded: Decoded): void
  /** The stream cannot be followed any more; nothing more is read from it. */
  malformed(fault: WireFault): void
  /** It is gone, without our doing. Told once. */
  closed(reason: CarillonError): void
  /** There is room for more routes. */
  writable(): void
  /** The peer does not take what we send; told again whenever it took some of it. */
  blocked(): void
  /** It took everything. */
  unblocked(): void
}

/** The dialect of a connection until the OPENs say more. */
const plain: Dialect = { fourOctetAs: false, extendedMessage: false }

/** Milliseconds that the peer is given to take what we said last. */
const lingerMs = 400

/** Pieces of this many bytes are followed by a turn for everybody else: a peer that floods us must not keep us from other work. */
const pieceWithTurn = 4096

/** Messages over a stream. What the peer does not read is not piled up: routes are only to be written while there is room. */
export class Connection {
  readonly stream: Stream
  readonly by: 'us' | 'peer'
  readonly #clock: Clock
  readonly #listener: ConnectionListener
  readonly #framer = new Framer()
  #dialect = plain
  #reading = true
  #over = false
  #blocked = false

  constructor(stream: Stream, by: 'us' | 'peer', clock: Clock, listener: ConnectionListener) {
    this.stream = stream
    this.by = by
    this.#clock = clock
    this.#listener = listener
    stream.on('data', this.#read)
    stream.on('end', () => this.#lost('the peer closed the connection without saying why'))
    stream.on('error', error => this.#lost(`the connection broke: ${error.message}`, error))
    stream.on('close', () => this.#lost('the connection is gone'))
    stream.on('drain', () => {
      if (!this.#over) listener.writable()
    })
    // One that was refused may be gone before anybody could listen to it.
    if (stream.destroyed)
      queueMicrotask(() => this.#lost('the peer closed the connection without saying why'))
  }

  /** From now on messages are read and written so. */
  agree(dialect: Dialect): void {
    this.#dialect = dialect
    this.#framer.extendedMessage = dialect.extendedMessage
  }

  get dialect(): Dialect {
    return this.#dialect
  }

  /** Whether routes can be written now; when not, `writable` is told later. */
  get room(): boolean {
    return !this.#over && !this.stream.writableNeedDrain
  }

  /** Sends a message now. False for a KEEPALIVE that would stand behind other messages: it is left out, as those say as much. */
  send(message: Message): boolean {
    if (message.type === 'keepalive' && this.stream.writableLength > 0) return false
    this.write(encodeMessage(message, this.#dialect))
    return true
  }

  /** Writes whole messages. */
  write(bytes: Uint8Array): void {
    if (this.#over) return
    this.stream.write(bytes, () => this.#taken())
    // What the kernel took at once is not counted any more.
    if (this.stream.writableLength === 0 || this.#blocked) return
    this.#blocked = true
    this.#listener.blocked()
  }

  #taken(): void {
    if (!this.#blocked || this.#over) return
    this.#blocked = this.stream.writableLength > 0
    if (this.#blocked) this.#listener.blocked()
    else this.#listener.unblocked()
  }

  /** Closes it after what was written; resolves when that is done, or the peer had time enough to take it. Nothing is told any more. */
  close(): Promise<void> {
    const { stream } = this
    this.#reading = false
    if (this.#over && stream.destroyed) return Promise.resolve()
    this.#over = true
    return new Promise(resolve => {
      const done = (): void => {
        cancel()
        stream.destroy()
        resolve()
      }
      const cancel = this.#clock.after(lingerMs, done)
      // What lies unread when a socket closes makes the kernel reset the connection, and our last words may be lost.
      stream.once('close', done)
      stream.end(() => {
        if (stream.readableEnded) done()
        else stream.once('end', done)
      })
      stream.resume()
    })
  }

  readonly #read = (piece: Uint8Array): void => {
    if (!this.#reading) return
    try {
      this.#framer.push(piece)
      for (let bytes = this.#next(); bytes !== undefined; bytes = this.#next()) {
        this.#listener.message(decodeMessage(bytes, this.#dialect))
      }
    } catch (error) {
      if (!(error instanceof WireFault)) throw error
      this.#reading = false
      this.#listener.malformed(error)
      return
    }
    if (piece.length < pieceWithTurn || this.#over) return
    this.stream.pause()
    setImmediate(() => this.stream.resume())
  }

  #next(): Uint8Array | undefined {
    return this.#reading ? this.#framer.next() : undefined
  }

  #lost(why: string, cause?: Error): void {
    this.#reading = false
    if (this.#over) return
    this.#over = true
    this.stream.destroy()
    this.#listener.closed(new CarillonError('CONNECTION_LOST', why, {}, cause && { cause }))
  }
}
