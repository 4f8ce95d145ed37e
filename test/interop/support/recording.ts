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

/** Records what gossip (port 7946) passes a host, with tcpdump, while `body` runs. Gives it apart by datagram and connection. */
export async function record(net: LabNet, host: string, body: () => Promise<void>): Promise<Recorded> {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-recording-'))
  try {
    const file = join(folder, 'frames.pcap')
    const words = ['-i', 'eth0', '-Z', 'root', '--immediate-mode', '-s', '0', '-U', '-w', file, 'port 7946']
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

/** Reads a pcap file of Ethernet frames: the IPv4 among them. */
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
    if (frame.length < ETHERNET + 20 || frame[12] !== 8 || frame[13] !== 0) continue
    const ip = frame.subarray(ETHERNET)
    const header = ((ip[0] ?? 0) & 15) * 4
    const total = ((ip[2] ?? 0) << 8) | (ip[3] ?? 0)
    const host = (offset: number): string => [...ip.subarray(offset, offset + 4)].join('.')
    const r = new Reader(ip.subarray(header, total))
    const from = `${host(12)}:${r.u16()}`
    const to = `${host(16)}:${r.u16()}`
    if (ip[9] === UDP) {
      datagrams.push({ from, to, bytes: ip.subarray(header + 8, total) })
    } else if (ip[9] === TCP) {
      const sequence = r.u32()
      r.u32()
      const offset = (r.u8() >> 4) * 4
      const flags = r.u8()
      const key = `${from} ${to}`
      if (flags & SYN)
        halves.set(key, { from, to, dialer: (flags & ACK) === 0, start: sequence + 1, pieces: new Map() })
      const half = halves.get(key)
      const payload = ip.subarray(header + offset, total)
      if (half && payload.length > 0) half.pieces.set((sequence - half.start) >>> 0, payload)
    }
  }
  const speeches = [...halves.values()].map(({ from, to, dialer, pieces }) => {
    const ordered = [...pieces].sort(([a], [b]) => a - b).map(([, bytes]) => bytes)
    return { from, to, dialer, bytes: new Uint8Array(Buffer.concat(ordered)) }
  })
  return { datagrams, speeches: speeches.filter(({ bytes }) => bytes.length > 0) }
}
