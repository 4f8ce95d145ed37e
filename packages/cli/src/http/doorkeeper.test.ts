import { EventEmitter } from 'node:events'
import type { Server } from 'node:http'
import { beforeEach, expect, it } from 'vitest'
import { limitConnections } from './doorkeeper.ts'

class Connection extends EventEmitter {
  destroyed = false

  destroy(): void {
    if (this.destroyed) return
    this.destroyed = true
    this.emit('close')
  }
}

let server: EventEmitter

beforeEach(() => {
  server = new EventEmitter()
  limitConnections(server as unknown as Server, 3)
})

const arrive = (): Connection => {
  const connection = new Connection()
  server.emit('connection', connection)
  return connection
}

/** Asks something; gives what ends the answer. */
const ask = (connection: Connection): (() => void) => {
  const response = new EventEmitter()
  server.emit('request', { socket: connection }, response)
  return () => void response.emit('close')
}

const open = (...connections: readonly Connection[]): readonly boolean[] =>
  connections.map(({ destroyed }) => !destroyed)

it('For one connection too many the one goes that has been idle for longest', () => {
  const [a, b, c] = [arrive(), arrive(), arrive()]
  ask(a)()
  const d = arrive()
  expect(open(a, b, c, d)).toEqual([true, false, true, true])
})

it('A connection that is being answered stays, and where all are, the new one goes', () => {
  const [a, b, c] = [arrive(), arrive(), arrive()]
  const ends = [a, b, c].map(ask)
  const late = arrive()
  expect(open(a, b, c, late)).toEqual([true, true, true, false])
  ends[1]?.()
  const next = arrive()
  expect(open(a, b, c, next)).toEqual([true, false, true, true])
})

it('Connections that have closed take no place', () => {
  const [a, b, c] = [arrive(), arrive(), arrive()]
  ask(a)
  for (const one of [a, b]) one.destroy()
  const [d, e] = [arrive(), arrive()]
  expect(open(c, d, e)).toEqual([true, true, true])
})
