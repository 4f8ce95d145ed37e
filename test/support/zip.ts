import { inflateRawSync } from 'node:zlib'

const [endSignature, entrySignature] = [0x06054b50, 0x02014b50]

/** One file of a ZIP archive. @throws Error where there is none of that name */
export function unzipped(archive: Buffer, name: string): Buffer {
  // APPNOTE 4.3.16: the end of the central directory is the last record, with a comment of at most 65535 bytes.
  let end = archive.length - 22
  while (end >= 0 && archive.readUInt32LE(end) !== endSignature) end--
  if (end < 0) throw new Error('this is no ZIP archive')
  const count = archive.readUInt16LE(end + 10)
  let at = archive.readUInt32LE(end + 16)
  for (let i = 0; i < count; i++) {
    if (archive.readUInt32LE(at) !== entrySignature) break
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map(offset =>
      archive.readUInt16LE(at + offset),
    ) as [number, number, number]
    if (archive.toString('utf8', at + 46, at + 46 + nameLength) === name) {
      const [method, size] = [archive.readUInt16LE(at + 10), archive.readUInt32LE(at + 20)]
      const local = archive.readUInt32LE(at + 42)
      const data = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
      const bytes = archive.subarray(data, data + size)
      return method === 0 ? bytes : inflateRawSync(bytes)
    }
    at += 46 + nameLength + extraLength + commentLength
  }
  throw new Error(`the archive holds no ${name}`)
}
