import { X509Certificate } from 'node:crypto'
import { FakeClock } from '@carillon/core/testing'
import { describe, expect, it } from 'vitest'
import { PassingCertificates } from './passing-certificates.ts'

const dayMs = 86_400_000

describe('certificates that end with the process', () => {
  it('are for the names that they are made for, and valid now', async () => {
    const clock = new FakeClock()
    await using certificates = new PassingCertificates({
      commonName: 'metrics',
      hosts: ['node-a', '192.0.2.1'],
      clock,
    })
    const { certificate } = await certificates.start()
    const { subjectAltName, validFrom, validTo } = new X509Certificate(certificate)
    expect(subjectAltName).toBe('DNS:node-a, IP Address:192.0.2.1')
    expect(new Date(validFrom) < clock.date() && clock.date() < new Date(validTo)).toBe(true)
    expect(certificates.status()).toEqual({ validTo: new Date(validTo).toISOString() })
    expect(await certificates.start()).toEqual(certificates.current())
  })

  it('are replaced long before they end, as often as it takes, and not after that is over', async () => {
    const clock = new FakeClock()
    const certificates = new PassingCertificates({ commonName: 'metrics', hosts: ['a'], clock })
    const shown = [await certificates.start()]
    certificates.events.on('certificate:changed', one => shown.push(one))
    clock.advance(31 * dayMs)
    expect(new Set(shown.map(({ certificate }) => certificate)).size).toBe(3)
    expect(certificates.current()).toBe(shown.at(-1))
    await certificates[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
  })
})
