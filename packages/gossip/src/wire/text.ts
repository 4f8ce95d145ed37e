/**
 * Reads UTF-8. A byte that is not part of valid UTF-8 becomes the lone surrogate U+DC00 + byte, so that every byte string has
 * a text of its own and `encodeText` gives the same bytes back: a node's name is its identity, whatever its bytes are.
 */
export function decodeText(bytes: Uint8Array, from = 0, to: number = bytes.length): string {
  let text = ''
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number
    if (byte >= 0x80) return text + decodeWide(bytes, at, to)
    text += String.fromCharCode(byte)
  }
  return text
}

function decodeWide(bytes: Uint8Array, from: number, to: number): string {
  let text = ''
  let at = from
  while (at < to) {
    const lead = bytes[at] as number
    const more = lead < 0x80 ? 0 : lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1
    const point = more < 0 || at + more >= to ? -1 : codePoint(bytes, at, lead, more)
    text += point < 0 ? String.fromCharCode(0xdc00 + lead) : String.fromCodePoint(point)
    at += point < 0 ? 1 : more + 1
  }
  return text
}

/** The code point that `more` bytes after `lead` complete; -1 when they do not (overlong forms and surrogates included). */
function codePoint(bytes: Uint8Array, at: number, lead: number, more: number): number {
  if (more === 0) return lead
  let point = lead & (0x3f >> more)
  for (let i = 1; i <= more; i++) {
    const next = bytes[at + i] as number
    if ((next & 0xc0) !== 0x80) return -1
    point = (point << 6) | (next & 0x3f)
  }
  if (more === 2 && (point < 0x800 || (point >= 0xd800 && point < 0xe000))) return -1
  return more === 3 && (point < 0x10000 || point > 0x10ffff) ? -1 : point
}

/** Writes UTF-8, the inverse of `decodeText`. Other lone surrogates become U+FFFD. */
export function encodeText(text: string): Uint8Array {
  const { length } = text
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x80) return encodeWide(text)
    bytes[i] = unit
  }
  return bytes
}

function encodeWide(text: string): Uint8Array {
  const bytes: number[] = []
  // A string iterates by code point, so what is still a surrogate here stands alone.
  for (const char of text) {
    const point = char.codePointAt(0) as number
    if (point >= 0xdc80 && point <= 0xdcff) bytes.push(point - 0xdc00)
    else if (point >= 0xd800 && point <= 0xdfff) bytes.push(0xef, 0xbf, 0xbd)
    else if (point < 0x80) bytes.push(point)
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 0x3f))
    else if (point < 0x10000)
      bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f))
    else {
      const [a, b, c] = [(point >> 12) & 0x3f, (point >> 6) & 0x3f, point & 0x3f]
      bytes.push(0xf0 | (point >> 18), 0x80 | a, 0x80 | b, 0x80 | c)
    }
  }
  return Uint8Array.from(bytes)
}
