import type { FsmSettings } from '../fsm/settings.ts'
import type { PeerSettings } from '../speaker/peer.ts'

/** How long a connection may take to come about, at most: the kernel asks again after 1 and 3 s, and then too late. */
const longestConnectMs = 5000

/** How long a passive session waits for the peer's OPEN before it sends its own: who only knocks learns nothing of us. */
const passiveDelayMs = 5000

/** First wait after a connection that did not come about. */
const firstRetryMs = 250

/** First wait after an error. */
const firstErrorRetryMs = 1000

/** How the state machine of a peer is to behave; `node` is what it calls us. */
export function fsmSettings(peer: PeerSettings, node: string): FsmSettings {
  const { connectTimeMs, errorTimeMs, keepaliveTimeMs, restartTime, passive } = peer
  return {
    localAs: peer.localAs,
    remoteAs: peer.remoteAs,
    families: peer.families,
    extendedNextHop: peer.interface !== undefined,
    holdTimeMs: peer.holdTimeMs,
    ...(keepaliveTimeMs !== undefined && { keepaliveTimeMs }),
    connectTimeoutMs: Math.min(longestConnectMs, connectTimeMs),
    retry: { firstMs: firstRetryMs, longestMs: connectTimeMs },
    errorRetry: { firstMs: firstErrorRetryMs, longestMs: errorTimeMs },
    passive,
    delayOpenMs: passive ? passiveDelayMs : 0,
    ...(restartTime !== undefined && { restartTime }),
    hostName: node,
  }
}
