// The thread that runs BFD: an engine behind messages. Started by `ThreadRunner`.
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { Network } from '@carillon/core'
import { Engine } from './engine.ts'
import { PatientClock } from './patient-clock.ts'
import { secureRandom } from './random.ts'
import type { Command } from './report.ts'
import type { Ready, ThreadData } from './thread.ts'

const HIGHEST_PRIORITY = -20

// On Linux this is the priority of the calling thread alone. It needs CAP_SYS_NICE; without it we take our turn like everybody else.
if (process.platform === 'linux') {
  try {
    setPriority(0, HIGHEST_PRIORITY)
  } catch {}
}

async function network({ module, export: name }: ThreadData): Promise<Network> {
  const exports = (await import(module)) as Readonly<Record<string, Network | (() => Network)>>
  const found = exports[name]
  if (found === undefined) throw new TypeError(`${module} exports no ${name}`)
  return typeof found === 'function' ? found() : found
}

const main = parentPort
if (main) {
  const engine = new Engine({
    network: await network(workerData as ThreadData),
    clock: new PatientClock(),
    random: secureRandom,
    report: report => main.postMessage(report),
  })
  main.on('message', (command: Command) => engine.obey(command))
  main.postMessage({ type: 'ready' } satisfies Ready)
}
