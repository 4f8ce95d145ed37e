import { CarillonError } from '@carillon/core'
import { FakeClock } from '@carillon/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readLease } from '../lease/lease-object.ts'
import { Shelf } from '../source/shelf.ts'
import { type KindName, watchedKinds } from '../source/watched-kind.ts'
import { Client } from './client.ts'
import { failureOf } from './failure.ts'
import { isKubeObject, type WatchEvent } from './object.ts'
import { resourceTypes } from './resource-type.ts'
import type { Transport } from './transport.ts'

/** Says the same to whoever asks. */
const saying = (status: number, text: string): Transport => ({
  server: 'https://api.test',
  async send() {
    const bytes = Buffer.from(text)
    return {
      status,
      headers: {},
      body: (async function* () {
        yield bytes
      })(),
    }
  },
  renew() {},
  async [Symbol.asyncDispose]() {},
})

/** Values in which the fields that are looked at turn up, with anything in them. */
const objects: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>(tie => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<unknown>(null, 0, '', 'x', '1', true, -1, 410),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        ...[
          'kind',
          'metadata',
          'name',
          'namespace',
          'resourceVersion',
          'items',
          'continue',
          'labels',
          'annotations',
        ],
        ...[
          'spec',
          'status',
          'type',
          'object',
          'code',
          'reason',
          'details',
          'message',
          'retryAfterSeconds',
          'ports',
        ],
        ...[
          'endpoints',
          'conditions',
          'addresses',
          'data',
          'loadBalancer',
          'ingress',
          'holderIdentity',
          '__proto__',
        ],
      ),
      tie('value'),
      { maxKeys: 6 },
    ),
  ),
})).value

const texts = fc.oneof(
  fc.string(),
  objects.map(value => JSON.stringify(value)),
  fc
    .array(
      fc.record({
        type: fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'ERROR', 'BOOKMARK'),
        object: objects,
      }),
    )
    .map(events => events.map(event => `${JSON.stringify(event)}\n`).join('')),
)

/** Resolves, or rejects with a coded error. */
async function sound(promise: Promise<unknown>): Promise<void> {
  try {
    await promise
  } catch (error) {
    expect(error).toBeInstanceOf(CarillonError)
  }
}

describe('whatever a server says', () => {
  it('is an answer or a coded error', async () => {
    await fc.assert(
      fc.asyncProperty(
        texts,
        fc.constantFrom(200, 201, 301, 400, 401, 404, 409, 410, 429, 500),
        async (text, status) => {
          const client = new Client({ transport: saying(status, text), clock: new FakeClock() })
          const name = { namespace: 'a', name: 'b' }
          await sound(client.list(resourceTypes.services))
          await sound(client.get(resourceTypes.leases, name).then(readLease))
          await sound(client.patch(resourceTypes.services, name, {}))
          await sound(
            client.watch(resourceTypes.nodes, {
              resourceVersion: '1',
              timeoutSeconds: 1,
              opened: () => {},
              events: events => expect(events.length).toBeGreaterThan(0),
            }),
          )
        },
      ),
      { numRuns: 300 },
    )
  })

  it('is a failure with a code when it is one', () => {
    const action = { verb: 'get', type: resourceTypes.nodes, name: 'n' } as const
    fc.assert(
      fc.property(objects, fc.nat(600), (body, code) => {
        expect(failureOf(action, code, body).code).toMatch(/^API_/)
      }),
    )
  })

  it('in the place of objects leaves what can be read of them', () => {
    const kinds = Object.keys(watchedKinds) as KindName[]
    const changes = fc.array(
      fc.record({
        type: fc.constantFrom<WatchEvent['type']>('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'),
        object: objects,
      }),
    )
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.array(objects), changes, (kind, listed, events) => {
        const shelf = new Shelf(watchedKinds[kind])
        shelf.begin()
        shelf.stage(listed)
        shelf.commit()
        shelf.apply(events.map(event => ({ ...event, resourceVersion: '1' })))
        for (const item of shelf.items()) expect(item.metadata.name).not.toBe('')
        shelf.problems()
      }),
    )
  })

  it('is no object of Kubernetes without metadata', () => {
    fc.assert(
      fc.property(objects, value => {
        if (isKubeObject(value)) expect(typeof value.metadata).toBe('object')
      }),
    )
  })
})
