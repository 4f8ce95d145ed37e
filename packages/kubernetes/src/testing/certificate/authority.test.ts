import { X509Certificate } from 'node:crypto'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { CertificateAuthority } from './authority.ts'

describe('a certificate', () => {
  const authority = new CertificateAuthority('tests', () => new Date('2026-03-01T12:00:00Z'))

  it('is signed by its authority, and valid from an hour ago for as many days as were asked for', () => {
    const { certificate } = authority.issue({ commonName: 'a', days: 30 })
    const [made, signer] = [new X509Certificate(certificate), new X509Certificate(authority.certificate)]
    expect(made.checkIssued(signer)).toBe(true)
    expect(made.verify(signer.publicKey)).toBe(true)
    expect(signer.verify(signer.publicKey)).toBe(true)
    expect([signer.ca, made.ca]).toEqual([true, false])
    expect(new Date(made.validFrom).toISOString()).toBe('2026-03-01T11:00:00.000Z')
    expect(new Date(made.validTo).toISOString()).toBe('2026-03-31T12:00:00.000Z')
    expect(new Date(signer.validTo).getUTCFullYear()).toBe(2036)
  })

  it('names its owner, the groups of it, and the hosts', () => {
    const { certificate } = authority.issue({
      commonName: 'someone',
      organizations: ['one', 'two'],
      hosts: ['example.com', '192.0.2.1', '2001:db8::1'],
    })
    const made = new X509Certificate(certificate)
    expect(made.subject).toBe('O=one\nO=two\nCN=someone')
    expect(made.checkHost('example.com')).toBe('example.com')
    expect(made.checkHost('example.org')).toBeUndefined()
    expect([made.checkIP('192.0.2.1'), made.checkIP('2001:db8::1')]).toEqual(['192.0.2.1', '2001:db8::1'])
  })

  it('that outlives 2049 still says when it ends', () => {
    const { certificate } = authority.issue({ commonName: 'old', days: 365 * 30 })
    expect(new Date(new X509Certificate(certificate).validTo).getUTCFullYear()).toBe(2056)
  })

  it('is taken by TLS on both sides', async () => {
    const current = new CertificateAuthority()
    const { certificate: cert, key } = current.issue({ commonName: 'server', hosts: ['127.0.0.1'] })
    const client = current.issue({ commonName: 'client', organizations: ['group'] })
    const ca = current.certificate
    const server = createServer(
      { cert, key, ca, requestCert: true, rejectUnauthorized: true },
      (asked, answer) => {
        const { subject } = (
          asked.socket as unknown as { getPeerCertificate(): { subject: object } }
        ).getPeerCertificate()
        answer.end(JSON.stringify(subject))
      },
    )
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const text = await new Promise<string>((resolve, reject) => {
      request(
        { host: '127.0.0.1', port, ca, cert: client.certificate, key: client.key, agent: false },
        async response => {
          let body = ''
          for await (const chunk of response) body += chunk
          resolve(body)
        },
      )
        .on('error', reject)
        .end()
    })
    expect(JSON.parse(text)).toEqual({ O: 'group', CN: 'client' })
    server.close()
  })
})
