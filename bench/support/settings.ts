import { env } from 'node:process'

/** A whole number from the environment. Throws when it is none, or below 1. */
export function count(name: string, otherwise: number): number {
  const text = env[name]
  if (text === undefined || text === '') return otherwise
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`${name} has to be a whole number, not "${text}"`)
  return value
}

/** A choice from the environment, `a,b`; everything where it is not set. Throws at a word that is not on offer. */
export function choice<Word extends string>(name: string, all: readonly Word[]): readonly Word[] {
  const text = env[name]
  if (text === undefined || text === '') return all
  return text.split(',').map(word => {
    const found = all.find(one => one === word.trim())
    if (found === undefined) throw new Error(`${name}: there is no "${word}"; there are ${all.join(', ')}`)
    return found
  })
}
