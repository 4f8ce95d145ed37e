import fc from 'fast-check'
import { expect, it } from 'vitest'
import { JsonPath } from './json-path.ts'

const object = {
  spec: { addresses: ['a', 'b'], 'dotted.name': 1, on: false, none: null },
  status: {
    conditions: [
      { type: 'Ready', status: 'True', since: { at: 1 } },
      { type: 'Valid', status: 'False' },
    ],
  },
}

it.each([
  ['.spec.addresses', [['a', 'b']]],
  ['.spec.addresses[0]', ['a']],
  ['.spec.addresses[-1]', ['b']],
  ['.spec.addresses[*]', ['a', 'b']],
  ['.spec.addresses[9]', []],
  ['.spec.dotted\\.name', [1]],
  [".spec['dotted.name']", [1]],
  ['.spec.on', [false]],
  ['.spec.none', []],
  ['.spec.missing.deeper', []],
  ['.status.conditions[?(@.type=="Ready")].status', ['True']],
  [".status.conditions[?(@.type == 'Valid')].status", ['False']],
  ['.status.conditions[?(@.since.at==1)].type', ['Ready']],
  ['.status.conditions[*].type', ['Ready', 'Valid']],
  ['{.spec.on}', [false]],
])('%s leads to %j', (path, values) => {
  expect(new JsonPath(path).read(object)).toEqual(values)
})

it('is either a path or refused', () => {
  const part = fc.constantFrom('.', '[', ']', 'a', '*', '0', '?(@', '=="b")', "'", '\\', '{', '}', ' ')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(part).map(parts => `.${parts.join('')}`),
      ),
      text => {
        try {
          new JsonPath(text).read(object)
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError)
        }
      },
    ),
  )
})
