/** The router on the other end of a link, as far as one has been heard. */
export interface Neighbour {
  /** Link-local address, without a zone. */
  readonly address: string
  /** When it advertised itself last. */
  readonly heardAt: number
}

/** Another router takes the place of one that has been silent for this long: three of its usual intervals, and a bit. */
export const silenceMs = 40_000

/** Who the neighbour is after an advertisement from `from`: with two routers on a link the first stays, while it speaks. */
export function hear(known: Neighbour | undefined, from: string, now: number): Neighbour {
  if (!known || known.address === from || now - known.heardAt >= silenceMs)
    return { address: from, heardAt: now }
  return known
}
