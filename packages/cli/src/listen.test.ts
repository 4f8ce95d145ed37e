import { CarillonError } from '@carillon/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readEvents, type Told } from './listen.ts'

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const read = async (text: string, size = 7): Promise<readonly Told[]> => {
  const told: Told[] = []
  for await (const one of readEvents(pieces(text, size), 'here')) told.push(one)
  return told
}

const event = { at: '2026-01-01T00:00:00.000Z', type: 'announced', message: 'für 10.0.0.1' } as const

it('reads whom it hears, what happened, and that somebody is there, however it comes in pieces', async () => {
  const text = `event: speaker\ndata: {"node":"node-a"}\n\nevent: happened\nid: x-1\ndata: ${JSON.stringify(event)}\n\n:\n\nevent: other\ndata: {}\n\nevent: happened\nid: x-2\nda`
  for (const size of [1, 2, 3, 1000])
    expect(await read(text, size)).toEqual([
      { says: 'speaker', node: 'node-a' },
      { says: 'happened', id: 'x-1', event },
      { says: 'beat' },
    ])
})

it('reads anything, or says that this is no speaker', async () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'event: happened',
      'event: speaker',
      'id: x-1',
      '',
      ':',
      'data: null',
      'data: {}',
      'data: [',
    ),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(line), async lines => {
      await read(`${lines.join('\n')}\n\n`).catch((error: unknown) => {
        if (!(error instanceof CarillonError) || error.code !== 'BAD_ANSWER') throw error
      })
    }),
  )
  await expect(read('event: happened\ndata: {"at":"then"}\n\n')).rejects.toThrow(
    'here does not answer as a speaker does',
  )
  await expect(read('x'.repeat(1_100_000), 65_536)).rejects.toThrow('here does not answer as a speaker does')
})
