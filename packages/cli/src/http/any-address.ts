import { createServer } from 'node:net'

/** Tries to listen at an address, on any free port. Rejects where one cannot. */
export function tryListening(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ host: address, port: 0 }, () => server.close(() => resolve()))
  })
}

/**
 * The address that stands for all of this host: `::`, at which IPv4 is heard, too, or `0.0.0.0` on a host without IPv6.
 *
 * @param listening what listening at an address comes to
 */
export async function anyAddress(
  listening: (address: string) => Promise<void> = tryListening,
): Promise<'::' | '0.0.0.0'> {
  try {
    await listening('::')
    return '::'
  } catch {
    return '0.0.0.0'
  }
}
