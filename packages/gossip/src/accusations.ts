/** What one member says of another. */
interface Accusation {
  /** When it said so. */
  readonly at: number
  /** Of the accused, as the accuser knows it. */
  readonly incarnation: number
}

/** How long an accusation counts, in milliseconds. */
const lifetimeMs = 2000

/** Who says of whom that it does not answer. */
export class Accusations {
  readonly #against = new Map<string, Map<string, Accusation>>()

  add(member: string, by: string, accusation: Accusation): void {
    const against = this.#against.get(member)
    if (against) against.set(by, accusation)
    else this.#against.set(member, new Map([[by, accusation]]))
  }

  withdraw(member: string, by: string): void {
    this.#against.get(member)?.delete(by)
  }

  /** Forgets what is said of a member. */
  forget(member: string): void {
    this.#against.delete(member)
  }

  /** Whether anybody else than `but` accuses a member at this time. */
  byOthers(member: string, but: string, now: number): boolean {
    for (const [by, { at }] of this.#against.get(member) ?? [])
      if (by !== but && now - at <= lifetimeMs) return true
    return false
  }

  /** Whether `by` accuses a member at this time, and of what is no older than its `incarnation`. */
  counts(member: string, by: string, incarnation: number, now: number): boolean {
    const said = this.#against.get(member)?.get(by)
    return said !== undefined && now - said.at <= lifetimeMs && said.incarnation >= incarnation
  }

  /** The highest incarnation of a member that an accuser knows, or `incarnation`, where that is higher. */
  newest(member: string, incarnation: number): number {
    let newest = incarnation
    for (const said of this.#against.get(member)?.values() ?? []) newest = Math.max(newest, said.incarnation)
    return newest
  }
}
