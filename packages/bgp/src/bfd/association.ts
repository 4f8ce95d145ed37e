import type { Offer } from './intervals.ts'
import type { BfdSettings } from './options.ts'
import type { BfdState } from './wire/index.ts'

/** How the protocol is to behave; intervals in milliseconds. */
export interface Parameters {
  readonly desiredMinTxMs: number
  readonly requiredMinRxMs: number
  readonly detectMultiplier: number
  /** Speak only once the peer has spoken (RFC 5880 section 6.1). */
  readonly passive: boolean
  /** How often to send echo packets; 0 for never. */
  readonly echoMs: number
  /** How often the peer may send echo packets; 0: we do not return them. */
  readonly requiredMinEchoRxMs: number
}

/** What can be done about echo packets: sending our own, and returning those of the peer. */
export interface EchoAbility {
  readonly send: boolean
  readonly return: boolean
}

/** Neither. */
export const noEcho: EchoAbility = Object.freeze({ send: false, return: false })

/** What a profile asks of the protocol, as far as it can be done. */
export const parametersOf = (settings: BfdSettings, echo: EchoAbility): Parameters => ({
  desiredMinTxMs: settings.transmitIntervalMs,
  requiredMinRxMs: settings.receiveIntervalMs,
  detectMultiplier: settings.detectMultiplier,
  passive: settings.passiveMode,
  echoMs: echo.send ? settings.echoIntervalMs : 0,
  requiredMinEchoRxMs: echo.return ? settings.echoIntervalMs : 0,
})

/** The other end, as its last packet described it. The same object for as long as its packets say the same. */
export interface Remote extends Offer {
  readonly discriminator: number
  readonly state: BfdState
  readonly diagnostic: number
  readonly demand: boolean
  readonly detectMultiplier: number
  readonly requiredMinEchoRxMs: number
}

/** Everything that the protocol remembers of one session: the state variables of RFC 5880 section 6.8.1. */
export interface Association {
  readonly parameters: Parameters
  readonly discriminator: number
  readonly state: BfdState
  readonly diagnostic: number
  /** Undefined until the peer is heard, and again once it was silent for a detection time. */
  readonly remote: Remote | undefined
  /** What our packets say. */
  readonly said: Offer
  /** What we go by: not what we say until the peer has confirmed it, where it could be caught unawares (section 6.8.3). */
  readonly inForce: Offer
  /**
   * The poll sequence that makes it confirm (section 6.5). `due`: from the next packet on; `asked`: until the answer comes; `pause`:
   * one packet without a question, so that a late answer is not taken for that to the next.
   */
  readonly poll: 'none' | 'due' | 'asked' | 'pause'
  /** The last periodic packet. */
  readonly sentAt: number | undefined
  /** What the `transmit` timer goes by; undefined when nothing is sent periodically. */
  readonly transmitMs: number | undefined
  /** When the peer will have been silent for a detection time; undefined while it is not expected, and once it was given a moment more. */
  readonly silentAt: number | undefined
  /** `unanswered`: sent, and none has come back since the session is up. */
  readonly echo: 'off' | 'unanswered' | 'answered'
  /** Discriminator of a peer by way of which echo packets have come back: from it, their absence means something. */
  readonly echoes: number | undefined
  /** Packets that still say farewell; undefined unless the session is being closed. */
  readonly farewells: number | undefined
}
