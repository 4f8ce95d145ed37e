import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noMetrics } from '@carillon/core'
import { FakeClock, RecordingLogger } from '@carillon/core/testing'
import { KubeApiServer } from '@carillon/kubernetes/testing'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { findAccess, findPod } from './pod.ts'

let server: KubeApiServer
let folder: string

beforeEach(async () => {
  server = await KubeApiServer.start()
  folder = mkdtempSync(join(tmpdir(), 'carillon-'))
  writeFileSync(join(folder, 'kubeconfig'), server.kubeconfig())
  await server.store.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'speaker', namespace: 'default' },
    spec: { containers: [{ name: 'speaker', image: 'carillon' }] },
  })
})
afterEach(async () => {
  await server.stop()
  rmSync(folder, { recursive: true })
})

const look = async (stopped: Promise<unknown>, podName = 'speaker') => {
  const [clock, log] = [new FakeClock(), new RecordingLogger()]
  const access = await findAccess({ kubeconfig: join(folder, 'kubeconfig'), namespace: 'default' }, noMetrics)
  const why: string[] = []
  const waiting = (message: string): void => void why.push(message)
  const found = findPod(access, podName, { clock, log, stopped, waiting })
  return { access, clock, log, why, found }
}
const never = new Promise<never>(() => {})

it('a process that starts while the API server is away waits for it, and says so once', async () => {
  await server.faults.down()
  const { access, clock, log, why, found } = await look(never)
  await vi.waitUntil(() => clock.pending > 0 && log.lines.length > 0)
  expect(why).toEqual([expect.stringContaining('cannot get pods default/speaker')])
  await server.faults.up()
  clock.advance(1000)
  expect((await found)?.owner).toMatchObject({ kind: 'Pod', name: 'speaker' })
  expect(log.lines.map(({ message }) => message)).toEqual(['waiting for the API server'])
  await access.client[Symbol.asyncDispose]()
})

it('a process that is stopped while it waits for the API server ends', async () => {
  await server.faults.down()
  let stop = (): void => {}
  const { access, clock, log, found } = await look(
    new Promise<void>(resolve => {
      stop = resolve
    }),
  )
  await vi.waitUntil(() => log.lines.length > 0)
  stop()
  expect(await found).toBeUndefined()
  expect(clock.pending).toBe(0)
  await access.client[Symbol.asyncDispose]()
})

it('a pod that is not there is an error at once', async () => {
  const { access, found } = await look(never, 'nobody')
  await expect(found).rejects.toMatchObject({ code: 'API_NOT_FOUND' })
  await access.client[Symbol.asyncDispose]()
})
