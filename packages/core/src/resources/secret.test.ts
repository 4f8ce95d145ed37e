import { describe, expect, it } from 'vitest'
import { parseResource } from './parse.ts'
import { type Secret, secretText } from './secret.ts'

const secret = (fields: object) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'key', namespace: 'metallb-system' },
  type: 'kubernetes.io/basic-auth',
  ...fields,
})

describe('a Secret', () => {
  it('gives its values as text, those of stringData first', () => {
    const { resource } = parseResource(
      secret({ data: { password: 'b2xk', user: 'cm9\nvdA==', empty: '' }, stringData: { password: 'new' } }),
    ) ?? { resource: undefined }
    const read = resource as Secret
    expect(read.type).toBe('kubernetes.io/basic-auth')
    expect(secretText(read, 'password')).toBe('new')
    expect(secretText(read, 'user')).toBe('root')
    expect(secretText(read, 'empty')).toBe('')
    expect(secretText(read, 'missing')).toBeUndefined()
    expect(secretText(read, 'constructor')).toBeUndefined()
  })

  it.each(['=', '==', 'a===', 'abc', 'ab=c', 'a=bc', 'abcd=', 'ab!='])(
    'does not take %s for base64',
    text => {
      expect(parseResource(secret({ data: { password: text } }))?.problems).toMatchObject([
        { field: 'data.password', message: 'is not base64; plain text belongs in stringData' },
      ])
    },
  )

  it.each(['', 'YQ==', 'YWI=', 'YWJj', '+/+/', 'A'.repeat(10_000_000)])(
    'takes base64 of any length',
    text => {
      expect(parseResource(secret({ data: { password: text } }))?.problems).toEqual([])
    },
  )

  it('never shows a value in a problem', () => {
    const result = parseResource(
      secret({
        data: { password: 'hunter2!', other: ['hunter2'] },
        stringData: { third: { hunter2: 'hunter2' } },
      }),
    )
    expect(result?.resource).toBeUndefined()
    expect(result?.problems).toMatchObject([
      { field: 'data.other', message: 'must be text, not a list' },
      { field: 'data.password', message: 'is not base64; plain text belongs in stringData' },
      { field: 'stringData.third', message: 'must be text, not an object' },
    ])
    expect(JSON.stringify(result)).not.toContain('hunter2')
  })
})
