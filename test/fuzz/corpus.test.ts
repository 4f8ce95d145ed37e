import { describe, expect, it } from 'vitest'
import { corpora, corpusOf } from './corpus.ts'
import { parsers } from './parsers.ts'

/** Milliseconds within which one input must have been read, however busy the machine is; all are small. */
const longestMs = 10_000

describe('Whatever others write is read or refused:', () => {
  it.each(parsers)('the corpus of $name', { timeout: 10 * longestMs }, async ({ name, read }) => {
    const inputs = corpusOf(name)
    expect(inputs.length).toBeGreaterThan(1)
    const outcomes = new Set<string>()
    for (const { name: file, bytes } of inputs) {
      const outcome = await Promise.resolve(bytes)
        .then(read)
        .catch((error: unknown) => {
          throw new Error(`${name}/${file}: ${String(error)}`, { cause: error })
        })
      outcomes.add(outcome)
    }
    // Else it would not tell a parser that refuses everything from one that works.
    expect(outcomes.size).toBeGreaterThan(1)
  })

  it('every corpus belongs to a parser', () => {
    expect(corpora()).toEqual(parsers.map(({ name }) => name).toSorted())
  })
})
