import type { Clock } from '@carillon/core'
import { living, type MemberRecord } from './member-record.ts'
import type { Swim } from './swim.ts'
import type { TableExchange } from './table-exchange.ts'
import { nodeStates } from './wire/index.ts'

/** Whether others count us as living; `refuted`: they did not, and have been told otherwise; `unheard`: nobody answered. */
export type Confirmed = 'confirmed' | 'refuted' | 'unheard'

/** Members asked at once, and in all. */
const askedAtOnce = 3
const askedAtMost = 12
/** Milliseconds without any answer after which others are asked, too: those asked first may have been stopped along with us. */
const moreMs = 100
/** Milliseconds for an answer, at most. */
const patienceMs = 1000
/** Milliseconds for which one who has an answer waits for more. */
const stragglersMs = 60

/** Asks a few members whether we count as living. */
export async function confirmation(swim: Swim, exchange: TableExchange, clock: Clock): Promise<Confirmed> {
  const { name: me, members, options } = swim
  const sample = (suits: (record: MemberRecord) => boolean): readonly MemberRecord[] =>
    members.sample(askedAtMost, options.random, record => record.name !== me && suits(record))
  // The dead are asked only where nobody else is left: one that is frozen would keep us waiting.
  const others = sample(living)
  const peers = others.length > 0 ? others : sample(record => record.liveness !== 'left')
  if (peers.length === 0) return 'confirmed'
  const ask = async (peer: MemberRecord): Promise<'confirmed' | 'refuted' | undefined> => {
    const answer = await exchange.fetch(peer, false, Math.min(options.settings.tcpTimeoutMs, patienceMs))
    if (!answer) return undefined
    const before = swim.self.incarnation
    exchange.merge(answer, peer)
    const mine = answer.nodes.find(node => node.name === me)
    return mine?.state === nodeStates.alive && mine.incarnation === before ? 'confirmed' : 'refuted'
  }
  const answers = await inWaves(clock, peers, ask)
  if (answers.length === 0) return 'unheard'
  return answers.every(answer => answer === 'confirmed') ? 'confirmed' : 'refuted'
}

/** Asks a few, and more while nobody answers. Gives the answers that came, once all asked have, or a little after the first. */
function inWaves<Peer, Answer>(
  clock: Clock,
  peers: readonly Peer[],
  ask: (peer: Peer) => Promise<Answer | undefined>,
): Promise<readonly Answer[]> {
  return new Promise(resolve => {
    const answers: Answer[] = []
    const waiting = [...peers]
    let open = 0
    let cancel = (): void => {}
    const finish = (): void => {
      cancel()
      waiting.length = 0
      resolve(answers)
    }
    const heard = (answer: Answer | undefined): void => {
      open--
      if (answer !== undefined) answers.push(answer)
      if (open === 0 && (answers.length > 0 || waiting.length === 0)) finish()
      else if (answer !== undefined && answers.length === 1) {
        cancel()
        cancel = clock.after(stragglersMs, finish)
      }
    }
    const wave = (): void => {
      for (const peer of waiting.splice(0, askedAtOnce)) {
        open++
        void ask(peer).then(heard)
      }
      if (waiting.length > 0) cancel = clock.after(moreMs, wave)
    }
    wave()
  })
}
