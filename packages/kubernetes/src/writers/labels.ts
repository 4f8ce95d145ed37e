import { createHash } from 'node:crypto'

/** A short text that stands for others: the same for the same, and in practice for no other. */
export const digest = (...texts: readonly string[]): string =>
  createHash('sha256').update(texts.join('\0')).digest('hex').slice(0, 16)

/** The longest value of a label. */
const maxLabel = 63

/** A name as the value of a label. Names may be longer than values: such a one is shortened, and stays its own. */
export const labelValue = (name: string): string =>
  name.length <= maxLabel ? name : `${name.slice(0, maxLabel - 17)}-${digest(name)}`

/** A text as part of an object's name, which starts and ends with a letter or digit, and has no more than 253 of all. */
export const namePart = (text: string, max = 100): string => {
  const plain = text.toLowerCase().replace(/[^a-z0-9.-]+/g, '-')
  return plain.slice(0, max).replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
}
