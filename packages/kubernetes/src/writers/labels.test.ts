import fc from 'fast-check'
import { expect, it } from 'vitest'
import { labelValue, namePart } from './labels.ts'

/** What Kubernetes takes as the name of a Node. */
const nodeName = fc.stringMatching(
  /^[a-z0-9]([-a-z0-9]{0,60}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,60}[a-z0-9])?){0,3}$/,
)

it('every name of a Node has a value for labels of its own', () => {
  fc.assert(
    fc.property(nodeName, nodeName, (a, b) => {
      expect(labelValue(a)).toMatch(/^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/)
      expect(labelValue(a) === labelValue(b)).toBe(a === b)
    }),
  )
  const long = 'n'.repeat(100)
  expect(labelValue(`${long}1`)).not.toBe(labelValue(`${long}2`))
})

it('any text can be part of the name of an object', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      expect(namePart(text)).toMatch(/^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$/)
    }),
  )
})
