import { X509Certificate } from 'node:crypto'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { issueLeaf, makeAuthority } from './x509.ts'

const day = 86_400_000
const from = new Date('2026-03-01T12:00:00Z')
const to = new Date('2026-05-30T12:00:00Z')
const hosts = ['hooks.metallb-system.svc', '192.0.2.1', '2001:db8::1']
const authority = makeAuthority({ commonName: 'ours', from, to: new Date('2056-01-01T00:00:00Z') })
const leaf = issueLeaf({ commonName: 'ours', key: authority.key }, { commonName: 'hooks', hosts, from, to })

it('a certificate is signed by its authority and says whom it is for, and when it is valid', () => {
  const [signer, made] = [new X509Certificate(authority.certificate), new X509Certificate(leaf.certificate)]
  expect([signer.ca, made.ca]).toEqual([true, false])
  expect([made.checkIssued(signer), made.verify(signer.publicKey), signer.verify(signer.publicKey)]).toEqual([
    true,
    true,
    true,
  ])
  expect([made.subject, made.issuer]).toEqual(['CN=hooks', 'CN=ours'])
  expect(new Date(made.validFrom)).toEqual(from)
  expect(new Date(made.validTo)).toEqual(to)
  // From 2050 on another notation is prescribed (RFC 5280 section 4.1.2.5).
  expect(new Date(signer.validTo).toISOString()).toBe('2056-01-01T00:00:00.000Z')
  expect(made.checkHost('hooks.metallb-system.svc')).toBe('hooks.metallb-system.svc')
  expect(made.checkHost('others.metallb-system.svc')).toBeUndefined()
  expect([made.checkIP('192.0.2.1'), made.checkIP('2001:db8::1')]).toEqual(['192.0.2.1', '2001:db8::1'])
  expect(made.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
})

it('no two certificates have the same serial number, and each is positive and has at most 20 bytes', () => {
  const numbers = Array.from({ length: 50 }, () => {
    const { certificate } = makeAuthority({ commonName: 'ours', from, to })
    return new X509Certificate(certificate).serialNumber
  })
  expect(new Set(numbers).size).toBe(50)
  for (const number of numbers) expect(number).toMatch(/^[0-7][0-9A-F]{1,39}$/)
})

it('TLS takes it, of a client that trusts the authority', async () => {
  const now = Date.now()
  const times = { from: new Date(now - day), to: new Date(now + day) }
  const current = makeAuthority({ commonName: 'ours', ...times })
  const { certificate: cert, key } = issueLeaf(
    { commonName: 'ours', key: current.key },
    { commonName: 'local', hosts: ['127.0.0.1'], ...times },
  )
  const server = createServer({ cert, key }, (_, answer) => answer.end('hello'))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const ask = (ca: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, ca, agent: false }, async answer => {
        let text = ''
        for await (const chunk of answer) text += chunk
        resolve(text)
      })
      asked.on('error', reject)
      asked.end()
    })
  expect(await ask(current.certificate)).toBe('hello')
  await expect(ask(authority.certificate)).rejects.toThrow()
  server.close()
})
