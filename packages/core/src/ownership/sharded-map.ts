const shardCount = 256
const none: ReadonlyMap<string, never> = new Map<string, never>()

/** FNV-1a over the low byte of each character, folded to a shard number. */
function shardOf(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 8) ^ (hash >>> 16)) & (shardCount - 1)
}

/**
 * An immutable map of which a changed copy is cheap: only the shards that a change falls into are copied.
 * Iteration follows no order that means anything.
 */
export class ShardedMap<Value> implements ReadonlyMap<string, Value> {
  readonly #shards: readonly ReadonlyMap<string, Value>[]
  readonly size: number

  private constructor(shards: readonly ReadonlyMap<string, Value>[], size: number) {
    this.#shards = shards
    this.size = size
  }

  static empty<Value>(): ShardedMap<Value> {
    return new ShardedMap<Value>(new Array<ReadonlyMap<string, Value>>(shardCount).fill(none), 0)
  }

  /** A copy in which every key of `changes` has its value, or is gone where that is undefined. */
  with(changes: ReadonlyMap<string, Value | undefined>): ShardedMap<Value> {
    if (changes.size === 0) return this
    const shards = [...this.#shards]
    const fresh = new Map<number, Map<string, Value>>()
    let size = this.size
    for (const [key, value] of changes) {
      const index = shardOf(key)
      let shard = fresh.get(index)
      if (!shard) {
        shard = new Map(shards[index])
        shards[index] = shard
        fresh.set(index, shard)
      }
      size -= shard.size
      if (value === undefined) shard.delete(key)
      else shard.set(key, value)
      size += shard.size
    }
    return new ShardedMap(shards, size)
  }

  get(key: string): Value | undefined {
    return this.#shards[shardOf(key)]?.get(key)
  }

  has(key: string): boolean {
    return this.#shards[shardOf(key)]?.has(key) ?? false
  }

  forEach(visit: (value: Value, key: string, map: ReadonlyMap<string, Value>) => void): void {
    for (const [key, value] of this) visit(value, key, this)
  }

  *entries(): MapIterator<[string, Value]> {
    for (const shard of this.#shards) yield* shard
  }

  *keys(): MapIterator<string> {
    for (const shard of this.#shards) yield* shard.keys()
  }

  *values(): MapIterator<Value> {
    for (const shard of this.#shards) yield* shard.values()
  }

  [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.entries()
  }
}
