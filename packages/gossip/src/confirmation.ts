import type { Clock } from '@carillon/core'
import { living, type MemberRecord } from './member-record.ts'
import type { Swim } from './swim.ts'
import type { TableExchange } from './table-exchange.ts'
import { nodeStates } from './wire/index.ts'

/** Whether others count us as living; `refuted`: they did not, and have been told otherwise; `unheard`: nobody answered. */
export type Confirmed = 'confirmed' | 'refuted' | 'unheard'

/** Members asked at once. */
const asked = 3
/** Milliseconds for an answer, at most. */
const patienceMs = 1000
/** Milliseconds for which one who has an answer waits for more. */
const stragglersMs = 60

/** Asks a few members whether we count as living. */
export async function confirmation(swim: Swim, exchange: TableExchange, clock: Clock): Promise<Confirmed> {
  const { name: me, members, options } = swim
  const sample = (suits: (record: MemberRecord) => boolean): readonly MemberRecord[] =>
    members.sample(asked, options.random, record => record.name !== me && suits(record))
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
  const answers = await promptly(clock, peers.map(ask))
  if (answers.length === 0) return 'unheard'
  return answers.every(answer => answer === 'confirmed') ? 'confirmed' : 'refuted'
}

/** The answers that came, once all did, or a little after the first. */
function promptly<Answer>(
  clock: Clock,
  asked: readonly Promise<Answer | undefined>[],
): Promise<readonly Answer[]> {
  return new Promise(resolve => {
    const answers: Answer[] = []
    let open = asked.length
    let cancel: (() => void) | undefined
    const finish = (): void => {
      cancel?.()
      resolve(answers)
    }
    for (const one of asked) {
      void one.then(answer => {
        if (answer !== undefined) answers.push(answer)
        if (--open === 0) finish()
        else if (answers.length > 0) cancel ??= clock.after(stragglersMs, finish)
      })
    }
  })
}
