import type { BFDProfile } from '../resources/index.ts'
import type { BfdProfile } from './config.ts'
import type { Spot } from './spot.ts'

/** Reads a BFD profile; what it leaves out is as in FRR, which MetalLB hands its profiles to. */
export function parseBfdProfile({ metadata, spec }: BFDProfile, spot: Spot): BfdProfile {
  const within = (
    field: 'receiveInterval' | 'transmitInterval' | 'echoInterval' | 'detectMultiplier' | 'minimumTtl',
    min: number,
    max: number,
    fallback: number,
  ): number => {
    const value = spec[field] ?? fallback
    if (!(Number.isInteger(value) && value >= min && value <= max)) {
      spot.at(field).error(`${value} is out of range: it must be from ${min} to ${max}`)
    }
    return value
  }
  return {
    name: metadata.name,
    receiveIntervalMs: within('receiveInterval', 10, 60_000, 300),
    transmitIntervalMs: within('transmitInterval', 10, 60_000, 300),
    detectMultiplier: within('detectMultiplier', 2, 255, 3),
    echoIntervalMs: within('echoInterval', 10, 60_000, 50),
    echoMode: spec.echoMode ?? false,
    passiveMode: spec.passiveMode ?? false,
    minimumTtl: within('minimumTtl', 1, 254, 254),
  }
}
