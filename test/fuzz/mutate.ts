import { Buffer } from 'node:buffer'

type Random = () => number

const telling = [0, 1, 2, 0x7f, 0x80, 0xfe, 0xff, 0x20, 0x0a, 0x22, 0x5b, 0x7b]

/** Inputs do not grow beyond this, in bytes. */
const longest = 8192

/** A new input: one of the corpus, changed in a few places, sometimes joined with another. */
export function mutate(random: Random, corpus: readonly Uint8Array[], words: readonly string[]): Uint8Array {
  const below = (n: number): number => Math.floor(random() * n)
  const any = (): Uint8Array => corpus[below(corpus.length)] ?? new Uint8Array(0)
  let bytes = any()
  for (let changes = 1 + below(6); changes > 0; changes--) bytes = change(bytes, below, any, words)
  return bytes.length > longest ? bytes.subarray(0, longest) : bytes
}

function change(
  bytes: Uint8Array,
  below: (n: number) => number,
  any: () => Uint8Array,
  words: readonly string[],
): Uint8Array {
  const at = below(bytes.length + 1)
  const to = Math.min(bytes.length, at + 1 + below(16))
  const join = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts))
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  const set = (value: (old: number) => number): Uint8Array => {
    const copy = bytes.slice()
    if (at < copy.length) copy[at] = value(copy[at] as number)
    return copy
  }
  const word = (): Uint8Array => Buffer.from(words[below(words.length)] ?? '0')
  switch (below(10)) {
    case 0:
      return set(old => old ^ (1 << below(8)))
    case 1:
      return set(() => telling[below(telling.length)] ?? 0)
    case 2:
      return set(old => old + below(7) - 3)
    case 3:
      return join(before, bytes.subarray(to))
    case 4:
      return join(
        before,
        Uint8Array.from({ length: 1 + below(8) }, () => below(256)),
        after,
      )
    case 5:
      return join(bytes.subarray(0, to), after)
    case 6: {
      const other = any()
      return join(before, other.subarray(below(other.length + 1)))
    }
    case 7:
      return before
    case 8:
      return join(before, word(), bytes.subarray(to))
    default:
      return join(before, word(), after)
  }
}
