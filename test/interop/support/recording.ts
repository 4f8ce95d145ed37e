import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LabNet } from '@carillon/cli/lab'
import { CarillonError, Reader } from '@carillon/core'

/** What one end of a TCP connection said, from its first byte on. */
export interface Speech {
  readonly from: string
  readonly to: string
  /** The end that opened the connection. */
  readonly dialer: boolean
  readonly bytes: Uint8Array
}

/** One UDP payload. */
export interface Datagram {
  readonly from: string
  readonly to: string
  readonly bytes: Uint8Array
}

export interface Recorded {
  readonly datagrams: readonly Datagram[]
  readonly speeches: readonly Speech[]
}

/**
 * Records what passes a host on a port (gossip's, if none is named), with tcpdump, while `body` runs. Gives it apart by datagram
 * and connection, in the order in which each began.
 */
export async function record(
  net: LabNet,
  host: string,
  body: () => Promise<void>,
  port = 7946,
): Promise<Recorded> {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-recording-'))
  try {
    const file = join(folder, 'frames.pcap')
    const words = [
      '-i',
      'eth0',
      '-Z',
      'root',
      '--immediate-mode',
      '-s',
      '0',
      '-U',
      '-w',
      file,
      `port ${port}`,
    ]
    const tcpdump = net.spawn(host, 'tcpdump', words, { stdio: ['ignore', 'ignore', 'pipe'] })
    const ended = new Promise<void>(resolve => tcpdump.once('exit', () => resolve()))
    await new Promise<void>((resolve, reject) => {
      let said = ''
      tcpdump.stderr?.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        if (said.includes('listening on')) resolve()
      })
      tcpdump.once('exit', () => reject(new Error(`tcpdump ended: ${said}`)))
    })
    try {
      await body()
    } finally {
      tcpdump.kill('SIGINT')
      await ended
    }
    return parse(new Uint8Array(await readFile(file)))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const MAGIC = 0xd4c3b2a1
const FILE_HEADER = 24
const RECORD_HEADER = 16
const ETHERNET = 14
const TCP = 6
const UDP = 17
const SYN = 0x02
const ACK = 0x10

interface Half {
  readonly dialer: boolean
  readonly start: number
  /** By their offset in the stream. */
  readonly pieces: Map<number, Uint8Array>
}

/** What an IP packet without options of interest carries, and between whom. */
interface Packet {
  readonly protocol: number
  readonly from: string
  readonly to: string
  readonly payload: Uint8Array
}

const IPV6_HEADER = 40

function unwrap(frame: Uint8Array): Packet | undefined {
  if (frame.length < ETHERNET + IPV6_HEADER) return undefined
  const etherType = new DataView(frame.buffer, frame.byteOffset).getUint16(ETHERNET - 2)
  const ip = frame.subarray(ETHERNET)
  const view = new DataView(ip.buffer, ip.byteOffset, ip.byteLength)
  if (etherType === 0x0800) {
    const host = (offset: number): string => [...ip.subarray(offset, offset + 4)].join('.')
    const payload = ip.subarray((view.getUint8(0) & 15) * 4, view.getUint16(2))
    return { protocol: view.getUint8(9), from: host(12), to: host(16), payload }
  }
  if (etherType === 0x86dd) {
    const host = (offset: number): string =>
      `[${Buffer.from(ip.subarray(offset, offset + 16)).toString('hex')}]`
    const payload = ip.subarray(IPV6_HEADER, IPV6_HEADER + view.getUint16(4))
    return { protocol: view.getUint8(6), from: host(8), to: host(24), payload }
  }
  return undefined
}

/** Reads a pcap file of Ethernet frames. */
function parse(file: Uint8Array): Recorded {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (view.getUint32(0) !== MAGIC)
    throw new CarillonError('SHORT_READ', 'this is not a little-endian pcap file')
  const datagrams: Datagram[] = []
  const halves = new Map<string, Half & { readonly from: string; readonly to: string }>()
  for (let at = FILE_HEADER; at + RECORD_HEADER <= file.length; ) {
    const length = view.getUint32(at + 8, true)
    const frame = file.subarray(at + RECORD_HEADER, at + RECORD_HEADER + length)
    at += RECORD_HEADER + length
    const packet = unwrap(frame)
    if (!packet) continue
    const { payload: segment } = packet
    const r = new Reader(segment)
    const from = `${packet.from}:${r.u16()}`
    const to = `${packet.to}:${r.u16()}`
    if (packet.protocol === UDP) {
      datagrams.push({ from, to, bytes: segment.subarray(8) })
    } else if (packet.protocol === TCP) {
      const sequence = r.u32()
      r.u32()
      const offset = (r.u8() >> 4) * 4
      const flags = r.u8()
      const key = `${from} ${to}`
      if (flags & SYN)
        halves.set(key, { from, to, dialer: (flags & ACK) === 0, start: sequence + 1, pieces: new Map() })
      const half = halves.get(key)
      const payload = segment.subarray(offset)
      if (half && payload.length > 0) half.pieces.set((sequence - half.start) >>> 0, payload)
    }
  }
  const speeches = [...halves.values()].map(({ from, to, dialer, pieces }) => {
    const ordered = [...pieces].sort(([a], [b]) => a - b).map(([, bytes]) => bytes)
    return { from, to, dialer, bytes: new Uint8Array(Buffer.concat(ordered)) }
  })
  return { datagrams, speeches: speeches.filter(({ bytes }) => bytes.length > 0) }
}
