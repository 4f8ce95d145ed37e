// The thread that runs BFD: an engine behind messages. Started by `ThreadRunner`.
import { parentPort, workerData } from 'node:worker_threads'
import type { Network } from '@carillon/core'
import { Engine } from './engine.ts'
import { PatientClock } from './patient-clock.ts'
import { secureRandom } from './random.ts'
import type { Command } from './report.ts'
import type { Ready, ThreadData } from './thread.ts'
import { keepUrgent } from './urgency.ts'

interface Exports {
  readonly setUrgency?: (urgent: boolean) => string
  readonly [name: string]: unknown
}

function networkOf(exports: Exports, { module, export: name }: ThreadData): Network {
  const found = exports[name] as Network | (() => Network) | undefined
  if (found === undefined) throw new TypeError(`${module} exports no ${name}`)
  return typeof found === 'function' ? found() : found
}

const main = parentPort
if (main) {
  const data = workerData as ThreadData
  const exports = (await import(data.module)) as Exports
  const engine = new Engine({
    network: networkOf(exports, data),
    clock: new PatientClock(),
    random: secureRandom,
    report: report => main.postMessage(report),
  })
  main.on('message', (command: Command) => engine.obey(command))
  const urgency = exports.setUrgency === undefined ? 'none' : keepUrgent(exports.setUrgency)
  main.postMessage({ type: 'ready', urgency } satisfies Ready)
}
