/** Highest score of how badly a node hears; 0: well. */
export class Awareness {
  readonly #highest: number
  #score = 0

  constructor(multiplier: number) {
    this.#highest = Math.max(0, multiplier - 1)
  }

  get score(): number {
    return this.#score
  }

  add(points: number): void {
    this.#score = Math.min(this.#highest, Math.max(0, this.#score + points))
  }
}
