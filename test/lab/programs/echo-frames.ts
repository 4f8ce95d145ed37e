// As a worker thread: answers every frame with the same one, its second payload byte raised by one.
import { parentPort, workerData } from 'node:worker_threads'
import { systemNetwork } from '@carillon/sockets'

const { link, etherType } = workerData as { link: number; etherType: number }
const frames = await systemNetwork().frames(link, etherType)
frames.receive(frame => {
  const answer = frame.slice()
  answer[15] = (frame[15] as number) + 1
  frames.send(answer)
})
parentPort?.postMessage('open')
