import { type Endpoint, formatEndpoint } from '@carillon/core'
import type { Reach } from '@carillon/gossip'
import { type Finding, findingsOf } from './finding.ts'

const finding = findingsOf('gossip')

/** Who has a port. `unknown`: it is taken, and the process is not to be seen from here. */
export type Holder =
  | { readonly state: 'free' | 'unknown' }
  | { readonly state: 'unbindable'; readonly code: string }
  | { readonly state: 'held'; readonly pid: number; readonly command: string }

/** Whether a command line is that of a speaker or gossip of ours. */
export const isOurs = (command: string): boolean =>
  /(^|[/\s])carillon(\.js|\.mjs)?(\s|$)|@carillon\//.test(command)

/** Whether the port of the gossip is ours to use. */
export function checkPort(at: Endpoint, protocol: 'UDP' | 'TCP', holder: Holder): Finding {
  const subject = `${formatEndpoint(at)} ${protocol}`
  switch (holder.state) {
    case 'free':
      return finding(subject, 'ok', 'free')
    case 'unbindable':
      return finding(
        subject,
        'error',
        `cannot be bound (${holder.code})`,
        holder.code === 'EADDRNOTAVAIL'
          ? 'no interface has that address: name another with --gossip-bind'
          : null,
      )
    case 'unknown':
      return finding(
        subject,
        'warning',
        'taken by a process that cannot be seen from here',
        'if that is no speaker of Carillon, stop it, or use another port on every node',
      )
    case 'held': {
      const who = `${holder.command} (pid ${holder.pid})`
      return isOurs(holder.command)
        ? finding(subject, 'ok', `held by ${who}`)
        : finding(
            subject,
            'error',
            `held by another program: ${who}`,
            'stop it, or use another port on every node; MetalLB and Carillon cannot share a node',
          )
    }
  }
}

/** Whether a member can be spoken with in both directions. */
export function checkReach(to: Endpoint, { datagram, stream, back }: Reach): readonly Finding[] {
  const subject = formatEndpoint(to)
  const port = to.port
  const keys = 'give --gossip-key-file and --gossip-label as the members have them'
  const tcp = ((): Finding => {
    switch (stream.state) {
      case 'answered':
        return finding(`${subject} TCP`, 'ok', 'answers')
      case 'refused':
        return finding(`${subject} TCP`, 'error', `hears this host and refuses it: ${stream.why}`, keys)
      case 'silent':
        return finding(
          `${subject} TCP`,
          'error',
          'accepts the connection and does not answer as a member does',
          datagram ? 'look at what listens there' : `is that a member? If so, ${keys}`,
        )
      case 'unreachable':
        return stream.code === 'ECONNREFUSED'
          ? finding(
              `${subject} TCP`,
              'error',
              'nobody listens there',
              'start a speaker there, or take it out of the list',
            )
          : finding(
              `${subject} TCP`,
              'error',
              `cannot be reached (${stream.code})`,
              `open TCP port ${port} between the nodes`,
            )
    }
  })()
  const heard = stream.state === 'answered'
  const udp = datagram
    ? finding(`${subject} UDP`, 'ok', 'answers')
    : finding(
        `${subject} UDP`,
        'error',
        heard ? 'does not answer, though it does over TCP: datagrams are lost on the way' : 'does not answer',
        heard ? `open UDP port ${port} between the nodes, in both directions` : null,
      )
  if (back === undefined)
    return [tcp, udp, finding(`${subject} back`, 'skipped', 'whether it reaches this host cannot be asked')]
  return [
    tcp,
    udp,
    back
      ? finding(`${subject} back`, 'ok', 'its datagrams reach this host')
      : finding(
          `${subject} back`,
          'error',
          'its datagrams do not reach this host, which answers it only when asked first',
          `let UDP port ${port} in on this host`,
        ),
  ]
}
