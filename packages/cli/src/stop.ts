/** Milliseconds that a stop may take before the process ends without waiting any longer. */
const stopMs = 1800

/** Resolves with the signal that asks this process to stop: SIGTERM or SIGINT. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal))
  })
}

/** Does what a stop takes, and ends the process when that takes too long. */
export async function stopInTime(stop: () => Promise<unknown>): Promise<void> {
  const late = setTimeout(() => process.exit(0), stopMs)
  await stop()
  clearTimeout(late)
}
