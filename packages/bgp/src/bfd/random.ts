import { randomBytes } from 'node:crypto'

/** 0 to 1, not to be guessed: what is drawn from it keeps strangers out. */
export const secureRandom = (): number => randomBytes(4).readUInt32BE() / 2 ** 32
