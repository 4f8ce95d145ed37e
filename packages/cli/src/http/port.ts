import { createServer } from 'node:net'
import { CarillonError, type Endpoint, formatEndpoint } from '@carillon/core'

/** What listening at an address failed with, as `PORT_IN_USE` that says what to do. */
export function portError(at: Endpoint, error: unknown): CarillonError {
  const errno = (error as NodeJS.ErrnoException).code
  const hint =
    errno === 'EADDRINUSE'
      ? 'another program has that port: choose one with --http, or --http off'
      : String(error)
  const address = formatEndpoint(at)
  return new CarillonError('PORT_IN_USE', `cannot serve HTTP at ${address}: ${hint}`, { address, errno })
}

/** Resolves when one can listen there now. Throws `PORT_IN_USE`. */
export function checkPort(at: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', error => reject(portError(at, error)))
    server.listen({ host: at.address, port: at.port }, () => server.close(() => resolve()))
  })
}
