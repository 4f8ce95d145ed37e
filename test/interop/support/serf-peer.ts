import type { LabNet } from '@carillon/cli/lab'
import { Peer } from './peer.ts'

const events: Readonly<Record<string, string>> = {
  EventMemberJoin: 'join',
  EventMemberUpdate: 'update',
  EventMemberLeave: 'leave',
  EventMemberFailed: 'dead',
  EventMemberReap: 'dead',
}

/** A serf agent; it tells what it sees in its log. */
export class SerfPeer extends Peer {
  protected override read(line: string): void {
    const [, event = '', name = '', address = ''] = /serf: (Event\w+): (\S+)(?: (\S+))?/.exec(line) ?? []
    const meaning = events[event]
    if (meaning !== undefined) this.note({ event: meaning, name, address })
    else if (line.includes('agent: Serf agent starting')) this.note({ event: 'ready' })
  }

  /** Names and states as `serf members` prints them: alive, leaving, left, failed. */
  async members(net: LabNet): Promise<Readonly<Record<string, string>>> {
    const { code, stdout, stderr } = await net.exec(this.host, 'serf', ['members', '-format', 'json'])
    if (code !== 0) throw new Error(`serf members on ${this.host}: ${stderr}`)
    const { members } = JSON.parse(stdout) as {
      readonly members: readonly { readonly name: string; readonly status: string }[]
    }
    return Object.fromEntries(members.map(({ name, status }) => [name, status]))
  }
}
