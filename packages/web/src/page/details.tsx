import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Candidate, ExplanationAnswer } from '../api.ts'
import type { Store } from './store.ts'
import { few, lasting, number } from './words.ts'

type Answer = ExplanationAnswer | 'gone' | 'unreachable' | undefined

/** Candidates shown at most. */
const most = 8

async function ask(address: string, signal: AbortSignal): Promise<Answer> {
  try {
    const response = await fetch(`api/v1/explanation?address=${encodeURIComponent(address)}`, { signal })
    return response.ok ? ((await response.json()) as ExplanationAnswer) : 'gone'
  } catch {
    return signal.aborted ? undefined : 'unreachable'
  }
}

/** Why a candidate stands where it does. */
function place({ score, aheadBy }: Candidate, next: Candidate | undefined): string {
  if (aheadBy === 'score') return `preferred: weight ${score} before ${next?.score ?? 0}`
  if (aheadBy === 'digest') return 'smaller digest'
  return 'last in line'
}

function Line({ answer }: { answer: ExplanationAnswer }): JSX.Element {
  const { candidates, row } = answer
  const [elected] = candidates
  if (!elected) return <p class="calm">Nobody may stand for it.</p>
  const kept = row.owner !== undefined && row.owner !== elected.node
  return (
    <>
      {kept && (
        <p class="advice">
          {row.owner} keeps the address while it lives, whatever the order says (<code>--sticky</code>).
        </p>
      )}
      <ol class="line">
        {candidates.slice(0, most).map((candidate, i) => (
          <li key={candidate.node} class={candidate.node === row.owner ? 'owner' : ''}>
            <b>{candidate.node}</b>
            <span class="quiet">
              {candidate.node === row.owner ? 'owner, ' : ''}
              {place(candidate, candidates[i + 1])}
            </span>
            <code title={`SHA-256 of ${candidate.node}#${answer.address}`}>
              {candidate.digest.slice(0, 8)}
            </code>
          </li>
        ))}
      </ol>
      {candidates.length > most && <p class="calm">and {number(candidates.length - most)} more</p>}
    </>
  )
}

function Announced({ answer }: { answer: ExplanationAnswer }): JSX.Element {
  const { announcements, address } = answer
  const routes = new Map<string, string[]>()
  for (const one of announcements) {
    if (one.protocol !== 'bgp') continue
    const extra = [
      ...(one.localPref === 0 ? [] : [`localPref ${one.localPref}`]),
      ...(one.communities.length === 0 ? [] : [`communities ${one.communities.join(' ')}`]),
    ]
    const text = `${one.prefix} to ${one.peer}${extra.length === 0 ? '' : ` (${extra.join(', ')})`}`
    const nodes = routes.get(text)
    if (nodes) nodes.push(one.node)
    else routes.set(text, [one.node])
  }
  const local = announcements.flatMap(one =>
    one.protocol === 'layer2' && one.address === address ? one : [],
  )
  if (local.length === 0 && routes.size === 0) return <p class="bad">By nobody.</p>
  return (
    <ul>
      {local.map(({ node, interfaces }) => (
        <li key={node}>
          <b>{node}</b> on {interfaces === 'all' ? 'all interfaces' : interfaces.join(', ')}{' '}
          <span class="quiet">{address.includes(':') ? 'NDP' : 'ARP'}</span>
        </li>
      ))}
      {[...routes].map(([text, nodes]) => (
        <li key={text}>
          {text} by <b>{few(nodes, 3)}</b> <span class="quiet">BGP</span>
        </li>
      ))}
    </ul>
  )
}

function Silent({ answer }: { answer: ExplanationAnswer }): JSX.Element | null {
  if (answer.silent.length === 0) return null
  return (
    <>
      <h3>Why not the others</h3>
      <ul class="silent">
        {answer.silent.map(({ protocol, nodes, because, sentence, advice }) => (
          <li key={`${protocol} ${because}`}>
            <b>{few(nodes, 3)}</b>: {sentence}
            <span class="quiet">
              {' '}
              ({protocol === 'bgp' ? 'BGP' : 'layer 2'}; {advice})
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}

export interface DetailsProps {
  readonly store: Store
  readonly address: string
  readonly close: () => void
}

/** Everything about one address: who has it, who follows and why, how it is announced. */
export function Details({ store, address, close }: DetailsProps): JSX.Element {
  const [answer, setAnswer] = useState<Answer>(undefined)
  const title = useRef<HTMLHeadingElement>(null)
  const plan = store.parts?.seen.plan
  const live = store.connection.state
  // Another plan, or a new connection, may bring another answer.
  useEffect(() => {
    const abort = new AbortController()
    void ask(address, abort.signal).then(given => given !== undefined && setAnswer(given))
    return () => abort.abort()
  }, [address, plan, live])
  useEffect(() => {
    title.current?.focus({ preventScroll: true })
    title.current?.closest('section')?.scrollIntoView({ block: 'start' })
  }, [address])
  const row = store.addresses.get(address)?.row
  return (
    <section class="details" aria-labelledby="details-title">
      <header>
        <h2 id="details-title" tabIndex={-1} ref={title}>
          {address}
        </h2>
        <button type="button" class="close" aria-label="Close" onClick={close}>
          ×
        </button>
      </header>
      {row && (
        <p>
          {row.services.join(', ')} <span class="quiet">from pool</span> {row.pool}
          <br />
          {row.owner !== undefined && row.since !== undefined && (
            <>
              <b>{row.owner}</b> <span class="quiet">has had it for{row.longer ? ' more than' : ''}</span>{' '}
              {lasting(store.now() - Date.parse(row.since))}
            </>
          )}
        </p>
      )}
      {answer === 'gone' || (answer !== undefined && !row) ? (
        <p class="bad">No Service has this address any more.</p>
      ) : answer === 'unreachable' ? (
        <p class="bad">The speaker does not answer.</p>
      ) : answer === undefined || answer.address !== address ? (
        <p class="calm">Asking…</p>
      ) : (
        <>
          {answer.row.protocols.includes('layer2') && (
            <>
              <h3>In line</h3>
              <Line answer={answer} />
            </>
          )}
          <h3>Announced</h3>
          <Announced answer={answer} />
          <Silent answer={answer} />
        </>
      )}
    </section>
  )
}
