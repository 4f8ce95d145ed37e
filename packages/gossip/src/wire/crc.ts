const table = new Uint32Array(256)
for (let i = 0; i < 256; i++) {
  let value = i
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  table[i] = value
}

/** CRC-32/IEEE of `bytes` from `from` on, unsigned. */
export function crc32(bytes: Uint8Array, from = 0): number {
  let crc = 0xffffffff
  for (let at = from; at < bytes.length; at++)
    crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] as number)) & 0xff] as number)
  return ~crc >>> 0
}
