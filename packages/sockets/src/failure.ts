import { constants } from 'node:os'
import { CarillonError, type ErrorDetails } from '@carillon/core'

/** What was being done when the kernel refused, for the message: `opening`, e.g. "UDP on 10.0.0.1:7946". */
export interface Attempt {
  readonly opening: string
  /** The capability without which the kernel answers EPERM or EACCES, if any. */
  readonly needs?: 'CAP_NET_RAW' | 'CAP_NET_ADMIN' | 'CAP_NET_BIND_SERVICE'
  readonly details?: ErrorDetails
}

// Two names of one number: the first stays, as Node prefers it.
const names = new Map<number, string>()
for (const [name, number] of Object.entries(constants.errno)) if (!names.has(number)) names.set(number, name)

/** The errno's name for a negative errno: `EPERM` for -1. */
export function errnoName(result: number): string {
  return names.get(-result) ?? `errno ${-result}`
}

/** The negative errno of a name that Node knows. */
export function errnoOf(name: keyof typeof constants.errno): number {
  return -constants.errno[name]
}

const hints: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another socket has this address and port',
  EADDRNOTAVAIL: 'the address is not one of this host',
  ENODEV: 'there is no such interface',
  ENXIO: 'the interface went away',
  ENETDOWN: 'the interface is down',
  ENOPROTOOPT: 'this kernel lacks the option',
  EAFNOSUPPORT: 'this kernel lacks the address family',
  EMFILE: 'the process has too many open files (ulimit -n)',
  ECONNREFUSED: 'nobody listens there',
  EHOSTUNREACH: 'the host does not answer',
  ENETUNREACH: 'there is no route to it',
  ETIMEDOUT: 'nobody answered in time',
}

function hint(errno: string, needs: Attempt['needs']): string {
  if ((errno === 'EPERM' || errno === 'EACCES') && needs) {
    const bit = needs.toLowerCase()
    return (
      `${needs} is missing; run as root, add the capability to the pod or unit ` +
      `(capabilities.add: ["${needs.slice(4)}"], AmbientCapabilities=${needs}), or setcap ${bit}+ep on the node binary`
    )
  }
  return hints[errno] ?? 'the kernel refused'
}

/** The error for a system call that gave a negative errno. */
export function failure(result: number, step: string, attempt: Attempt): CarillonError {
  const errno = errnoName(result)
  return new CarillonError(errno, `${attempt.opening}: ${step}: ${errno}, ${hint(errno, attempt.needs)}`, {
    ...attempt.details,
    errno,
    step,
    opening: attempt.opening,
  })
}

/** Passes a count on and throws for a negative errno. */
export function check(result: number, step: string, attempt: Attempt): number {
  if (result < 0) throw failure(result, step, attempt)
  return result
}

/** For what a handler throws: it must not stop the rest of a batch, nor vanish. Becomes an uncaught exception. */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
