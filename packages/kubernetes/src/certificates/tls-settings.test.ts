import { describe, expect, it } from 'vitest'
import { tlsSettings } from './tls-settings.ts'

describe('what is taken of TLS', () => {
  it('is 1.3 unless something else is said', () => {
    expect(tlsSettings()).toEqual({ minVersion: 'TLSv1.3' })
    expect(tlsSettings({ minVersion: 'VersionTLS13', cipherSuites: [] })).toEqual({ minVersion: 'TLSv1.3' })
  })

  it('is read in the words of Kubernetes', () => {
    expect(
      tlsSettings({
        minVersion: 'VersionTLS12',
        cipherSuites: [
          'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
          'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
        ],
        curvePreferences: ['CurveP384', 'X25519'],
      }),
    ).toEqual({
      minVersion: 'TLSv1.2',
      ciphers: 'ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305',
      ecdhCurve: 'P-384:X25519',
    })
  })

  it.each([
    [{ minVersion: 'VersionTLS11' }, '"VersionTLS11" is no TLS version: use VersionTLS13 or VersionTLS12'],
    [
      { cipherSuites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'] },
      'cipher suites can be chosen for TLS 1.2 only',
    ],
    [
      { minVersion: 'VersionTLS12', cipherSuites: ['TLS_RSA_WITH_RC4_128_SHA'] },
      '"TLS_RSA_WITH_RC4_128_SHA" is no cipher suite that is offered',
    ],
    [{ minVersion: 'VersionTLS12', cipherSuites: ['constructor'] }, '"constructor" is no cipher suite'],
    [{ curvePreferences: ['Curve25519x'] }, 'a curve of Curve25519x is not one that this OpenSSL has'],
    [{ minVersion: 'toString' }, '"toString" is no TLS version'],
  ])('is refused where it makes no sense: %j', (options, message) => {
    expect(() => tlsSettings(options)).toThrow(
      expect.objectContaining({ code: 'BAD_TLS_OPTION', message: expect.stringContaining(message) }),
    )
  })
})
