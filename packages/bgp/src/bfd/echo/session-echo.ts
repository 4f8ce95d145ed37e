import { type EchoAbility, noEcho } from '../association.ts'
import { isLinkLocal, type SessionKey } from '../options.ts'
import type { EchoLine } from './line.ts'
import type { EchoPlane } from './plane.ts'

/** The echo function as one session has it. */
export class SessionEcho {
  readonly #plane: EchoPlane
  readonly #key: SessionKey
  readonly #discriminator: number
  readonly #changed: () => void
  readonly #returned: () => void
  #line: EchoLine | undefined
  #ability: EchoAbility = noEcho
  #problem: string | undefined
  #roundTripMs: number | undefined

  /** `changed` is called when `ability` or `problem` is another one, `returned` when a packet has come back. */
  constructor(
    plane: EchoPlane,
    session: { readonly key: SessionKey; readonly discriminator: number },
    tell: { readonly changed: () => void; readonly returned: () => void },
  ) {
    this.#plane = plane
    this.#key = session.key
    this.#discriminator = session.discriminator
    this.#changed = tell.changed
    this.#returned = tell.returned
  }

  get ability(): EchoAbility {
    return this.#ability
  }

  /** Why there is no echo function although it is wanted. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Of the last packet that came back. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs
  }

  /** Begins or ends the looking for a way for echo packets. */
  want(wanted: boolean): void {
    if (this.#key.multihop) {
      this.#problem = wanted ? 'echo packets go over a single hop only' : undefined
      this.#changed()
    } else if (wanted && this.#line === undefined)
      this.#line = this.#plane.join({
        key: this.#key,
        discriminator: this.#discriminator,
        able: problem => this.#able(problem),
        returned: roundTripMs => {
          this.#roundTripMs = roundTripMs
          this.#returned()
        },
      })
    else if (!wanted && this.#line) {
      this.close()
      this.#ability = noEcho
      this.#problem = undefined
      this.#changed()
    }
  }

  /** Sends an echo packet. False when there is no way to do so now. */
  send(): boolean {
    return this.#line !== undefined && this.#plane.send(this.#line)
  }

  close(): void {
    if (this.#line) this.#plane.leave(this.#line)
    this.#line = undefined
  }

  #able(problem: string | undefined): void {
    const able = problem === undefined
    // No router forwards what has link-local addresses.
    const linkLocal = isLinkLocal(this.#key.peer)
    this.#ability = { send: able && !linkLocal, return: able }
    this.#problem = able && linkLocal ? 'a link-local peer forwards no echo packets' : problem
    this.#changed()
  }
}
