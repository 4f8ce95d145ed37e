import { FakeClock, RecordingLogger } from '@carillon/core/testing'
import type { Client, KubeObject } from '@carillon/kubernetes'
import { expect, it } from 'vitest'
import { startInPod } from './start-in-pod.ts'

const never = new Promise<never>(() => {})
const asked = (answer: () => Promise<KubeObject>) => ({
  access: { client: { get: answer } as unknown as Client, namespace: 'default' },
  around: { clock: new FakeClock(), log: new RecordingLogger(), stopped: never },
})

it('work begins with the Pod that its objects are to go along with', async () => {
  const { access, around } = asked(async () => ({ metadata: { name: 'speaker', uid: '7' } }))
  const owner = await new Promise(resolve =>
    startInPod(access, 'speaker', around, async pod => resolve(pod.owner)),
  )
  expect(owner).toEqual({ apiVersion: 'v1', kind: 'Pod', name: 'speaker', uid: '7' })
})

it('outside of a pod work begins at once', async () => {
  const { access, around } = asked(() => never)
  expect(
    await new Promise(resolve => startInPod(access, undefined, around, async pod => resolve(pod))),
  ).toEqual({})
})

it('what is in the way for good is told, and once it is to stop nothing is', async () => {
  const { access, around } = asked(async () => ({ metadata: { name: 'speaker', uid: '7' } }))
  const refused = startInPod(access, undefined, around, () => Promise.reject(new Error('no right')))
  await expect(refused.failed).rejects.toThrow('no right')

  let fail = (_: Error): void => {}
  const stopping = startInPod(access, undefined, around, () => new Promise((_, reject) => (fail = reject)))
  await Promise.resolve()
  stopping.stop()
  fail(new Error('the source was closed'))
  const outcome = await Promise.race([
    stopping.failed.catch(() => 'failed'),
    new Promise(r => setImmediate(r)),
  ])
  expect(outcome).toBeUndefined()
  expect(around.log.lines.map(({ message }) => message)).toEqual(['stopped before the cluster was seen'])
})
