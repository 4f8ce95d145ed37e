import { CarillonError, canonicalAddress, type Endpoint } from '@carillon/core'

/** Reads `ADDR:PORT`, `[ADDR6]:PORT`, or, with a default port, `ADDR` and `ADDR6`. Throws `USAGE`. */
export function parseEndpoint(flag: string, text: string, defaultPort?: number): Endpoint {
  const wrong = (why: string): CarillonError =>
    new CarillonError('USAGE', `${flag} ${text}: ${why}; write ADDRESS:PORT, an IPv6 address in brackets`, {
      flag,
      value: text,
    })
  const bracketed = /^\[([^\]]*)\](?::(\d+))?$/.exec(text)
  const plain = /^([^:]*)(?::(\d+))?$/.exec(text)
  const bare = text.includes(':') && !bracketed && !plain ? [text, text, undefined] : undefined
  const match = bracketed ?? plain ?? bare
  const address = canonicalAddress(match?.[1] ?? '')
  if (!match || address === undefined) throw wrong('that is no IP address')
  const portText = match[2]
  const port = portText === undefined ? defaultPort : Number(portText)
  if (port === undefined) throw wrong('the port is missing')
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw wrong('the port is not between 0 and 65535')
  return { address, port }
}
