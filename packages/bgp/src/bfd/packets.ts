import type { Association, Remote } from './association.ts'
import type { ControlPacket } from './wire/index.ts'

const microseconds = (ms: number): number => Math.round(ms * 1000)

/** What a session says now (RFC 5880 section 6.8.7). `final`: in answer to a poll. */
export function packetOf(a: Association, final: boolean): ControlPacket {
  return {
    state: a.state,
    diagnostic: a.diagnostic,
    poll: !final && (a.poll === 'due' || a.poll === 'asked'),
    final,
    controlPlaneIndependent: false,
    demand: false,
    detectMultiplier: a.parameters.detectMultiplier,
    myDiscriminator: a.discriminator,
    yourDiscriminator: a.remote?.discriminator ?? 0,
    desiredMinTxUs: microseconds(a.said.desiredMinTxMs),
    requiredMinRxUs: microseconds(a.said.requiredMinRxMs),
    requiredMinEchoRxUs: microseconds(a.parameters.requiredMinEchoRxMs),
  }
}

/** The other end as its packet describes it; `known` where that is nothing new. */
export function remoteOf(packet: ControlPacket, known: Remote | undefined): Remote {
  const remote: Remote = {
    discriminator: packet.myDiscriminator,
    state: packet.state,
    diagnostic: packet.diagnostic,
    demand: packet.demand,
    detectMultiplier: packet.detectMultiplier,
    desiredMinTxMs: packet.desiredMinTxUs / 1000,
    requiredMinRxMs: packet.requiredMinRxUs / 1000,
    requiredMinEchoRxMs: packet.requiredMinEchoRxUs / 1000,
  }
  const fields = Object.keys(remote) as (keyof Remote)[]
  return known && fields.every(field => known[field] === remote[field]) ? known : remote
}
