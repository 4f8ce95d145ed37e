/** Said between routes of a family: that all have been sent (RFC 4724), or where a refresh begins and ends (RFC 7313). */
export type Marker = 'endOfRib' | 'begin' | 'end'

/** Which markers of one family are due in a session. */
export class Markers {
  #endOfRib = true
  #begin = false
  #end = false
  #again = false

  /** Whether there is one that has not been said. */
  get due(): boolean {
    return this.#endOfRib || this.#begin || this.#end
  }

  /** The next one that can be said, which counts as said then. `waiting`: routes of the family wait to be sent. */
  take(waiting: boolean): Marker | undefined {
    if (this.#begin) {
      this.#begin = false
      return 'begin'
    }
    if (waiting) return undefined
    if (this.#endOfRib) {
      this.#endOfRib = false
      return 'endOfRib'
    }
    if (!this.#end) return undefined
    this.#end = false
    return 'end'
  }

  /**
   * The peer asks for all routes. False while the first ones are under way, with a refresh to follow: beginnings before the
   * End-of-RIB are ignored (RFC 7313 section 4).
   */
  refresh(marked: boolean): boolean {
    if (this.#endOfRib) {
      this.#again = true
      return false
    }
    this.#begin = marked
    this.#end = marked
    return true
  }

  /** Whether a refresh was put off that can take place now. */
  takePutOff(): boolean {
    if (this.#endOfRib || !this.#again) return false
    this.#again = false
    return true
  }
}
