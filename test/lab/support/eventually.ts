/** Resolves with the first value that `look` finds. Looks every few milliseconds; rejects after `withinMs`. */
export function eventually<T>(look: () => T | undefined, what: string, withinMs = 5000): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = performance.now() + withinMs
    const turn = (): void => {
      const found = look()
      if (found !== undefined) resolve(found)
      else if (performance.now() > end) reject(new Error(`waited ${withinMs} ms in vain for ${what}`))
      else setTimeout(turn, 5)
    }
    turn()
  })
}
