/** The part of a long list that is to be in the document. */
export interface Span {
  /** Index of the first item, and that after the last. */
  readonly from: number
  readonly to: number
  /** Pixels of what lies before and after. */
  readonly before: number
  readonly after: number
}

/** A list of equally high items that one looks at through a window. Pixels. */
export interface Look {
  readonly count: number
  readonly itemHeight: number
  readonly scrolled: number
  readonly windowHeight: number
  /** Items beyond the window, on either side, so that scrolling does not show gaps. */
  readonly beyond: number
}

/** Which items are to be in the document. */
export function spanOf({ count, itemHeight, scrolled, windowHeight, beyond }: Look): Span {
  const first = Math.floor(Math.max(0, scrolled) / itemHeight)
  const seen = Math.ceil(Math.max(0, windowHeight) / itemHeight) + 1
  // Even numbers, so that stripes stay where they are.
  const from = Math.max(0, Math.min(first - beyond, count - seen - beyond)) & ~1
  const to = Math.min(count, first + seen + beyond)
  return { from, to, before: from * itemHeight, after: Math.max(0, count - to) * itemHeight }
}
