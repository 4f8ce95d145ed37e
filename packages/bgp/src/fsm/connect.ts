import { CarillonError } from '@carillon/core'
import type { FsmEvent, FsmTimerEvent } from './event.ts'
import { type Context, dial, emit, type FsmStep, greet, halt, retry } from './moves.ts'
import type { Connect } from './state.ts'

/** RFC 4271 section 8.2.2: "waiting for the TCP connection to be completed". */
export function connect(context: Context, state: Connect, event: FsmEvent | FsmTimerEvent): FsmStep {
  switch (event.type) {
    case 'connected':
      return greet(context, state.failures, event.greeting)
    case 'connectFailed':
    case 'closed':
      return retry(context, state, event.reason)
    case 'timer': {
      if (event.timer !== 'connectRetry') return [state]
      // "drops the TCP connection, restarts the ConnectRetryTimer, [...] initiates a TCP connection [...], and stays in Connect"
      const seconds = context.settings.connectTimeoutMs / 1000
      const reason = new CarillonError('PEER_UNREACHABLE', `the peer did not answer within ${seconds} s`)
      const [next, ...effects] = dial(context, state.failures + 1)
      return [next, emit({ type: 'failed', reason, established: false }), ...effects]
    }
    case 'stop':
      return halt(state, event.reason)
    default:
      return [state]
  }
}
