import { createServer as createPlain } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CertificateAuthority } from '../certificate/authority.ts'
import { KubeApiServer } from '../server/server.ts'

const authority = new CertificateAuthority()
const caBundle = Buffer.from(authority.certificate).toString('base64')
const serviceReference = { namespace: 'default', name: 'webhook', path: '/validate', port: 443 }

let webhook: Server
let port: number
let asked: string[]
let refuse: boolean

async function listen(hosts: readonly string[]): Promise<void> {
  const { certificate, key } = authority.issue({ commonName: 'webhook', hosts })
  webhook = createServer({ cert: certificate, key }, async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const { uid, name } = JSON.parse(text).request
    asked.push(`${request.url} ${name}`)
    const answer = { uid, allowed: !refuse, status: { message: 'no', code: 403 } }
    response.end(
      JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }),
    )
  })
  await new Promise<void>(resolve => webhook.listen(0, '127.0.0.1', resolve))
  port = (webhook.address() as AddressInfo).port
}

beforeEach(() => {
  asked = []
  refuse = false
})
afterEach(async () => {
  webhook.closeAllConnections()
  await new Promise(resolve => webhook.close(resolve))
})

const configuration = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'w' },
  webhooks: [
    {
      name: 'w.example.com',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      clientConfig: { service: serviceReference, caBundle },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['CREATE'] }],
    },
  ],
}
const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })

describe('a webhook behind a Service', () => {
  it('is reached at the endpoint that the slices of the Service name, under the name of the Service', async () => {
    await listen(['webhook.default.svc'])
    await using server = await KubeApiServer.start()
    await server.store.apply(
      `
      apiVersion: v1
      kind: Service
      metadata: { name: webhook }
      spec: { ports: [{ name: https, port: 443, targetPort: 9443 }] }
      ---
      apiVersion: discovery.k8s.io/v1
      kind: EndpointSlice
      metadata: { name: webhook-1, labels: { kubernetes.io/service-name: webhook } }
      addressType: IPv4
      endpoints:
        - { addresses: [127.0.0.9], conditions: { ready: false } }
        - { addresses: [127.0.0.1], conditions: { ready: true } }
      ports: [{ name: https, port: ${port} }]
    `.replaceAll('\n      ', '\n'),
    )
    await server.store.create(configuration)
    await server.store.create(configMap('a'))
    refuse = true
    await expect(server.store.create(configMap('b'))).rejects.toMatchObject({
      code: 'API_REFUSED',
      details: { status: 403 },
      message: 'admission webhook "w.example.com" denied the request: no',
    })
    expect(asked).toEqual(['/validate?timeout=10s a', '/validate?timeout=10s b'])
  })

  it('is reached where the test says that the Service is', async () => {
    await listen(['webhook.default.svc'])
    await using server = await KubeApiServer.start({
      services: ({ namespace, name }) =>
        name === 'webhook' && namespace === 'default' ? `https://127.0.0.1:${port}` : undefined,
    })
    await server.store.create(configuration)
    await server.store.create(configMap('a'))
    expect(asked).toEqual(['/validate?timeout=10s a'])
  })

  it('has to bear the name of the Service', async () => {
    await listen(['another.default.svc'])
    await using server = await KubeApiServer.start({ services: () => `https://127.0.0.1:${port}` })
    await server.store.create(configuration)
    await expect(server.store.create(configMap('a'))).rejects.toThrow(/webhook\.default\.svc/)
    expect(asked).toEqual([])
  })

  it('that leads nowhere is said to have no endpoints', async () => {
    await listen(['webhook.default.svc'])
    await using server = await KubeApiServer.start()
    await server.store.create(configuration)
    await expect(server.store.create(configMap('a'))).rejects.toThrow(
      'failed calling webhook "w.example.com": failed to call webhook: no endpoints available for service "webhook" in namespace "default"',
    )
  })

  it('is asked without TLS where the test says that it speaks none', async () => {
    await listen(['webhook.default.svc'])
    const plain = createPlain(async (request, response) => {
      for await (const _ of request);
      response.statusCode = 503
      response.end()
    })
    await new Promise<void>(resolve => plain.listen(0, '127.0.0.1', resolve))
    const { port: plainPort } = plain.address() as AddressInfo
    await using server = await KubeApiServer.start({ services: () => `http://127.0.0.1:${plainPort}` })
    await server.store.create(configuration)
    await expect(server.store.create(configMap('a'))).rejects.toThrow('unexpected response code: 503')
    plain.closeAllConnections()
    plain.close()
  })
})
