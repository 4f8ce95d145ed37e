import type { Terminal } from '../terminal.ts'

/** How a demonstration is told. */
export interface Telling {
  readonly keep: boolean
  readonly json: boolean
}

/** Something to demonstrate, and what came of it. */
export interface Story<Report> {
  /** Plays it, telling what happens line by line. */
  play(say: (text: string) => void): Promise<Report>
  /** Whether it went as it should. */
  good(report: Report): boolean
}

/** Plays a story until it ends or somebody presses Ctrl-C. Gives the exit code. */
export async function tell<Report>(
  story: Story<Report>,
  { keep, json }: Telling,
  terminal: Terminal,
): Promise<number> {
  const say = (text: string): void => {
    if (!json) terminal.print(text)
  }
  const interrupted = new Promise<'interrupted'>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('interrupted'))
  })
  const played = story.play(say)
  const ended = await Promise.race([played, interrupted])
  if (ended === 'interrupted') {
    played.catch(() => {})
    say('\ninterrupted: everything is taken down')
    return 130
  }
  if (json) terminal.print(JSON.stringify(ended, null, 2))
  if (keep) {
    say(`\nThe lab stays until Ctrl-C. Look inside with: nsenter -a -t ${process.ppid} ip netns`)
    await interrupted
  }
  return story.good(ended) ? 0 : 1
}
