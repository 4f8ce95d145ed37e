import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CertificateTexts, isSignedBy, readCertificates, readKey } from './held-certificates.ts'
import { Rotation } from './rotation.ts'
import { issueLeaf, makeAuthority } from './x509.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const hosts = ['metallb-webhook-service.metallb-system.svc', '10.0.0.1']
const start = new Date('2026-01-01T00:00:00Z')
const after = (ms: number): Date => new Date(start.getTime() + ms)

const rotation = new Rotation(hosts)

/** What a verifier who trusts `authorities` makes of what is served. */
function isTrusted(authorities: string | undefined, texts: CertificateTexts, now: Date): boolean {
  const [leaf] = readCertificates(texts['tls.crt'])
  const key = readKey(texts['tls.key'])
  if (!leaf || !key || !leaf.x509.checkPrivateKey(key) || now < leaf.from || leaf.to <= now) return false
  return readCertificates(authorities).some(one => now < one.to && isSignedBy(leaf, one))
}

const serials = (text: string | undefined): readonly string[] =>
  readCertificates(text).map(({ x509 }) => x509.serialNumber)

const fresh = (): CertificateTexts => rotation.next({}, start, false)

describe('a Secret that holds nothing', () => {
  it('gets an authority and a certificate for every host, under the names that MetalLB gives the files', () => {
    const texts = fresh()
    expect(Object.keys(texts).sort()).toEqual(['ca.crt', 'ca.key', 'tls.crt', 'tls.key'])
    expect(isTrusted(texts['ca.crt'], texts, start)).toBe(true)
    const [leaf] = readCertificates(texts['tls.crt'])
    expect(leaf?.x509.checkHost(hosts[0] as string)).toBe(hosts[0])
    expect(leaf?.x509.checkIP('10.0.0.1')).toBe('10.0.0.1')
    expect(leaf?.to).toEqual(after(90 * dayMs))
  })

  it('is then left alone', () => {
    const texts = fresh()
    for (const days of [0, 1, 59]) expect(rotation.next(texts, after(days * dayMs), true)).toBe(texts)
  })
})

it('a serving certificate is replaced a month before its end, by the same authority', () => {
  const texts = fresh()
  const now = after(60 * dayMs + 1000)
  const next = rotation.next(texts, now, true)
  expect(serials(next['ca.crt'])).toEqual(serials(texts['ca.crt']))
  expect(serials(next['tls.crt'])).not.toEqual(serials(texts['tls.crt']))
  expect(isTrusted(texts['ca.crt'], next, now)).toBe(true)
})

describe('an authority', () => {
  /** Half a year before its end, with a certificate that is not due. */
  const due = 550 * dayMs + 1000
  const young = (): CertificateTexts => {
    const texts = fresh()
    const signer = { commonName: 'carillon-webhook-authority', key: texts['ca.key'] as string }
    const times = { from: after(due - dayMs), to: after(due + 80 * dayMs) }
    const { certificate, key } = issueLeaf(signer, { commonName: 'x', hosts, ...times })
    return { ...texts, 'tls.crt': certificate, 'tls.key': key }
  }

  it('is joined by the next one, which signs nothing until it has been trusted for an hour', () => {
    const texts = young()
    const announced = rotation.next(texts, after(due), true)
    expect(serials(announced['ca.crt'])).toHaveLength(2)
    expect(serials(announced['ca.crt'])[0]).toBe(serials(texts['ca.crt'])[0])
    expect([announced['ca.key'], announced['tls.crt']]).toEqual([texts['ca.key'], texts['tls.crt']])
    expect(rotation.next(announced, after(due + hourMs - 2000), true)).toBe(announced)

    // Nobody is known to trust it: it waits.
    expect(rotation.next(announced, after(due + hourMs + 1000), false)).toBe(announced)

    const promoted = rotation.next(announced, after(due + hourMs + 1000), true)
    expect(serials(promoted['ca.crt'])).toEqual([...serials(announced['ca.crt'])].reverse())
    expect(promoted['ca.key.next']).toBeUndefined()
    // Whoever still trusts what was announced, or serves what was served, is understood.
    expect(isTrusted(announced['ca.crt'], promoted, after(due + hourMs + 1000))).toBe(true)
    expect(isTrusted(promoted['ca.crt'], announced, after(due + hourMs + 1000))).toBe(true)

    const later = due + 2 * hourMs + 2000
    const settled = rotation.next(promoted, after(later), true)
    expect(serials(settled['ca.crt'])).toEqual([serials(promoted['ca.crt'])[0]])
    expect(isTrusted(settled['ca.crt'], settled, after(later))).toBe(true)
    expect(rotation.next(settled, after(later + dayMs), true)).toBe(settled)
  })

  it('of somebody else serves on, while one of our own takes over in the same way', () => {
    const times = { from: after(-dayMs), to: after(3650 * dayMs) }
    const foreign = makeAuthority({ commonName: 'cert', ...times })
    const leaf = issueLeaf({ commonName: 'cert', key: foreign.key }, { commonName: 'x', hosts, ...times })
    const texts: CertificateTexts = {
      'ca.crt': foreign.certificate,
      'ca.key': foreign.key,
      'tls.crt': leaf.certificate,
      'tls.key': leaf.key,
    }
    const announced = rotation.next(texts, start, true)
    expect(serials(announced['ca.crt'])).toHaveLength(2)
    expect(announced['tls.crt']).toBe(leaf.certificate)
    const promoted = rotation.next(announced, after(2 * hourMs), true)
    expect(isTrusted(announced['ca.crt'], promoted, after(2 * hourMs))).toBe(true)
    const settled = rotation.next(promoted, after(4 * hourMs), true)
    expect(serials(settled['ca.crt'])).toHaveLength(1)
  })
})

describe('what cannot be used is replaced at once', () => {
  const texts = fresh()
  const other = new Rotation(['elsewhere.svc']).next({}, start, false)
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
    type: 'pkcs1',
    format: 'pem',
  })
  it.each<readonly [string, CertificateTexts, Date, boolean]>([
    ['a certificate that has ended', texts, after(91 * dayMs), true],
    ['an authority that has ended', texts, after(731 * dayMs), false],
    ['a certificate for other hosts', other, start, true],
    [
      'a key that belongs to another certificate',
      { ...texts, 'tls.key': other['tls.key'] as string },
      start,
      true,
    ],
    ['a certificate of another authority', { ...texts, 'ca.crt': other['ca.crt'] as string }, start, false],
    ['the key of the authority and nothing else', { 'ca.key': texts['ca.key'] as string }, start, false],
    ['an RSA key', { ...texts, 'ca.key': String(rsa), 'tls.key': '' }, start, false],
    [
      'a passphrase',
      {
        ...texts,
        'tls.key': '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
      },
      start,
      true,
    ],
  ])('%s', (_, held, now, byTheSame) => {
    const next = rotation.next(held, now, true)
    expect(isTrusted(next['ca.crt'], next, now)).toBe(true)
    expect(isTrusted(held['ca.crt'], next, now)).toBe(byTheSame)
    expect(rotation.next(next, now, true)).toBe(next)
  })

  it('whatever it is', () => {
    const [block] = (texts['tls.crt'] as string).match(/-----BEGIN[\s\S]+-----\n/) ?? []
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom(...Object.values(texts), block ?? ''),
      fc
        .tuple(fc.nat(800), fc.string())
        .map(([at, junk]) => `${texts['ca.crt']?.slice(0, at)}${junk}${texts['ca.crt']?.slice(at)}`),
    )
    const held = fc.record(
      { 'ca.crt': text, 'ca.key': text, 'ca.key.next': text, 'tls.crt': text, 'tls.key': text },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(held, some => {
        const next = rotation.next(some, start, true)
        expect(isTrusted(next['ca.crt'], next, start)).toBe(true)
      }),
      { numRuns: 200 },
    )
  })
})

it('over ten years, looked at every week, nobody who is a week behind is ever turned away', () => {
  let texts = fresh()
  let [authorities, leaves] = [0, 0]
  for (let day = 7; day <= 3650; day += 7) {
    const now = after(day * dayMs)
    const next = rotation.next(texts, now, true)
    if (next === texts) continue
    // A verifier that still trusts what was there, and a replica that still serves it.
    expect(isTrusted(texts['ca.crt'], next, now)).toBe(true)
    expect(isTrusted(next['ca.crt'], texts, now)).toBe(true)
    if (next['tls.crt'] !== texts['tls.crt']) leaves++
    if (next['ca.key'] !== texts['ca.key']) authorities++
    texts = next
  }
  expect(authorities).toBe(6)
  expect(leaves).toBeGreaterThan(55)
})
