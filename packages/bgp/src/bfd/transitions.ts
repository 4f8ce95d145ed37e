import type { BfdState } from './wire/index.ts'

/** RFC 5880 section 6.8.6: our state, then what the peer says it is, gives our next state. */
export const nextState: Readonly<Record<BfdState, Readonly<Record<BfdState, BfdState>>>> = {
  // biome-ignore-start format: a table
  'admin-down': { 'admin-down': 'admin-down', down: 'admin-down', init: 'admin-down', up: 'admin-down' },
  down: { 'admin-down': 'down', down: 'init', init: 'up', up: 'down' },
  init: { 'admin-down': 'down', down: 'init', init: 'up', up: 'up' },
  up: { 'admin-down': 'down', down: 'down', init: 'up', up: 'up' },
  // biome-ignore-end format: a table
}
