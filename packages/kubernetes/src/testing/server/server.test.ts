import { request } from 'node:https'
import { describe, expect, it } from 'vitest'
import { CertificateAuthority } from '../certificate/authority.ts'
import { KubeApiServer } from './server.ts'

describe('a server with TLS', () => {
  it('takes client certificates of its own authority as users', async () => {
    const stranger = new CertificateAuthority()
    await using server = await KubeApiServer.start({ tls: true, authorize: true })
    const ask = (certified: { certificate: string; key: string } | undefined) =>
      new Promise<number>((resolve, reject) => {
        const { authority: own, url } = server
        const more = certified === undefined ? {} : { cert: certified.certificate, key: certified.key }
        request(`${url}/api/v1/nodes`, { ca: own?.certificate, agent: false, ...more }, response => {
          response.resume()
          resolve(response.statusCode ?? 0)
        })
          .on('error', reject)
          .end()
      })
    expect(await ask(server.clientCertificate({ name: 'root', groups: ['system:masters'] }))).toBe(200)
    expect(await ask(server.clientCertificate({ name: 'somebody', groups: [] }))).toBe(403)
    expect(await ask(stranger.issue({ commonName: 'root', organizations: ['system:masters'] }))).toBe(403)
    expect(await ask(undefined)).toBe(403)
  })

  it('is needed for client certificates', async () => {
    await using server = await KubeApiServer.start()
    expect(() => server.clientCertificate({ name: 'a', groups: [] })).toThrow(
      expect.objectContaining({ code: 'BAD_TEST_SERVER' }),
    )
  })
})

describe('options', () => {
  it.each([
    [{ serviceCidrs: ['nonsense'] }, 'serviceCidrs: nonsense is not a CIDR'],
    [{ serviceCidrs: [] }, 'serviceCidrs: one CIDR is needed'],
    [{ serviceCidrs: ['10.0.0.0/16', '10.1.0.0/16'] }, 'one of each family'],
  ])('%j are refused', async (options, message) => {
    await expect(KubeApiServer.start(options)).rejects.toThrow(
      expect.objectContaining({ code: 'BAD_TEST_SERVER', message: expect.stringContaining(message) }),
    )
  })
})
