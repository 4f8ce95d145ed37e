import { formatEndpoint, type SessionDocument } from '@carillon/core'
import { paint, type Terminal, table } from './terminal.ts'
import { ago } from './time.ts'

const familyNames: Readonly<Record<string, string>> = { ipv4: 'IPv4', ipv6: 'IPv6' }

const seconds = (ms: number): string => (ms === 0 ? 'none' : `${ms / 1000} s`)

/** What both sides have agreed on, in words. */
export function agreed({ negotiated }: SessionDocument): string {
  if (!negotiated) return ''
  const { peerAs, internal, families, holdTimeMs, gracefulRestart, peerHostName } = negotiated
  const words = [
    `${internal ? 'iBGP' : 'eBGP'} with AS ${peerAs}${peerHostName === undefined ? '' : ` (${peerHostName})`}`,
    families.map(family => familyNames[family] ?? family).join(' and '),
    `hold time ${seconds(holdTimeMs)}`,
    ...(negotiated.fourOctetAs ? [] : ['2-octet AS numbers']),
    ...(negotiated.enhancedRefresh
      ? ['enhanced route refresh']
      : negotiated.routeRefresh
        ? ['route refresh']
        : []),
    ...(negotiated.extendedMessage ? ['extended messages'] : []),
    ...(negotiated.extendedNextHop ? ['extended next hop'] : []),
    ...(gracefulRestart ? [`graceful restart, peer ${gracefulRestart.restartTime} s`] : []),
  ]
  return words.join(', ')
}

/** Where the peer is: `10.9.9.1`, `[fd00::1]:1179`, `eth0`, with the VRF. */
export function whereabouts({ address, port, interface: device, vrf }: SessionDocument): string {
  const at =
    address === undefined
      ? '?'
      : port === undefined || port === 179
        ? address
        : formatEndpoint({ address, port })
  const place = [...(device === undefined ? [] : [device]), ...(vrf === undefined ? [] : [`vrf ${vrf}`])]
  return [at, ...place].join(' ')
}

/** What has been sent, of how much: `3`, `1 of 3, 2 waiting`. */
function progress({ routes }: SessionDocument): string {
  const { desired, announced, pending, failed } = routes
  const rest = [
    ...(pending > 0 ? [`${pending} waiting`] : []),
    ...(failed > 0 ? [`${failed} not possible`] : []),
  ]
  const sent = announced === desired ? `${announced}` : `${announced} of ${desired}`
  return [sent, ...rest].join(', ')
}

/** Why there is no session, or what has been agreed on. */
function remarks(session: SessionDocument, now: string): string {
  const { state, waiting, lastError } = session
  const error = lastError ? `${lastError.message} (${ago(lastError.at, now)} ago)` : ''
  if (state === 'Established') return [agreed(session), ...(error ? [`before: ${error}`] : [])].join('; ')
  return [error, waiting ?? ''].filter(text => text !== '').join('; ')
}

/** For how long routes have been flowing, or not. */
const lasting = ({ since, downSince }: SessionDocument, now: string): string => ago(downSince ?? since, now)

/** The sessions for people, a line each. */
export function sessionTable(sessions: readonly SessionDocument[], now: string, terminal: Terminal): string {
  const rows = sessions.map(session => {
    const { peer, state, bfd } = session
    const watch = bfd ? paint(terminal, bfd.state === 'up' ? 'green' : 'red', bfd.state) : '-'
    return [
      peer,
      whereabouts(session),
      paint(terminal, state === 'Established' ? 'green' : 'red', state),
      lasting(session, now),
      progress(session),
      watch,
      remarks(session, now),
    ]
  })
  return table(['PEER', 'ADDRESS', 'STATE', 'FOR', 'ROUTES', 'BFD', 'HOW'], rows)
}

/** A session in one line. */
export function sessionLine(session: SessionDocument, now: string): string {
  const { peer, state, bfd } = session
  const watch = bfd ? `, BFD ${bfd.state} for ${ago(bfd.since, now)}` : ''
  const more = remarks(session, now)
  return `${peer} (${whereabouts(session)}): ${state} for ${lasting(session, now)}${watch}${more === '' ? '' : `; ${more}`}`
}
