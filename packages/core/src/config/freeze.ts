const refuse = (): never => {
  throw new TypeError('a configuration cannot be changed')
}

/** Freezes a value and all that it holds. A Map or Set, which `Object.freeze` leaves open, loses its changing methods too. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (value instanceof Map || value instanceof Set) {
    for (const method of ['set', 'add', 'delete', 'clear']) {
      if (method in value) Object.defineProperty(value, method, { value: refuse })
    }
    for (const item of value.values()) deepFreeze(item)
  }
  Object.freeze(value)
  for (const item of Object.values(value)) deepFreeze(item)
  return value
}
