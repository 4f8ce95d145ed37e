import { Peer } from './peer.ts'

/** `carillon gossip`, which prints an event as a JSON line and takes no commands. */
export class ProgramPeer extends Peer {
  protected override read(text: string): void {
    if (!text.startsWith('{')) return
    const said = JSON.parse(text) as { readonly event: string; readonly name: string }
    this.note(said)
    if (said.event === 'join' && said.name === this.name) this.note({ event: 'ready' })
  }
}
