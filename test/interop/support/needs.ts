import { vi } from 'vitest'
import { describeLab } from '../../lab/support/needs.ts'
import { memberlistSource } from './memberlist-peer.ts'

/** A `describe` for tests that run strangers beside us. */
export const describeInterop = (title: string, body: () => void): void =>
  describeLab(title, ['serf', 'go', memberlistSource, 'nft', 'tcpdump', 'bridge'], () => {
    // memberlist takes its time, and what gossip misses comes with an exchange of tables, within a minute.
    vi.setConfig({ testTimeout: 150_000 })
    body()
  })
