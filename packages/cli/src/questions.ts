import { type Command, Option } from 'commander'
import type { Ask } from './client.ts'
import { alive, ignoreExcludeLb, json, lbClass, manifestsIfAny, standalone } from './flags.ts'
import type { Listen } from './listen.ts'
import type { Terminal } from './terminal.ts'

/** Does something; gives the exit code. */
export type Action = () => Promise<number>

/** What the commands that ask a running speaker are made of. */
export interface Questions {
  readonly terminal: Terminal
  /** Told what to do. */
  readonly act: (action: Action) => void
  /** The flags that say which speaker is asked; made anew for each command. */
  readonly flags: () => readonly Option[]
  /** The speaker that these flags mean. */
  readonly ask: (options: Readonly<Record<string, unknown>>) => Ask
  /** The same, for those who want to hear of everything at once. */
  readonly listen: (options: Readonly<Record<string, unknown>>) => Listen
}

/** Adds the commands that ask a running speaker. */
export function addQuestions(root: Command, { terminal, act, flags, ask, listen }: Questions): void {
  const question = (parent: Command, name: string, description: string): Command => {
    const command = parent.command(name).description(description)
    for (const flag of flags()) command.addOption(flag)
    return command.addOption(json())
  }
  const peer = (): Option => new Option('--peer <name>', 'only what concerns this BGPPeer')
  const noEnd = new Promise<never>(() => {})

  question(root, 'members', 'Show who is in the cluster, as a running speaker sees it').action(options =>
    act(async () =>
      (await import('./commands/members.ts')).members({ ...options, ask: ask(options) }, terminal),
    ),
  )

  question(root, 'status', 'Show what a running speaker knows and does').action(options =>
    act(async () =>
      (await import('./commands/status.ts')).status({ ...options, ask: ask(options) }, terminal),
    ),
  )

  question(root, 'where', 'Show which node holds an address or a Service')
    .argument('<address or namespace/name>')
    .action((what, options) =>
      act(async () =>
        (await import('./commands/where.ts')).where(what, { ...options, ask: ask(options) }, terminal),
      ),
    )

  question(root, 'explain', 'Show why a Service is announced where it is, and who would be next')
    .argument('<namespace/name>')
    .action((what, options) =>
      act(async () =>
        (await import('./commands/explain.ts')).explain(what, { ...options, ask: ask(options) }, terminal),
      ),
    )

  const bgp: Command = root
    .command('bgp')
    .description('Show the BGP sessions and routes of a running speaker')
    .action(() => bgp.error('error: bgp: say "sessions" or "routes"'))
  question(bgp, 'sessions', 'Show the sessions: with whom, since when, what was agreed on or what is wrong')
    .addOption(peer())
    .action(options =>
      act(async () =>
        (await import('./commands/bgp.ts')).bgpSessions({ ...options, ask: ask(options) }, terminal),
      ),
    )
  question(bgp, 'routes', 'Show what each peer is told, and whether it has been')
    .addOption(peer())
    .action(options =>
      act(async () =>
        (await import('./commands/bgp.ts')).bgpRoutes({ ...options, ask: ask(options) }, terminal),
      ),
    )

  question(
    root,
    'pools',
    'Show how full the address pools are, and which Services wait for an address',
  ).action(options =>
    act(async () => (await import('./commands/pools.ts')).pools({ ...options, ask: ask(options) }, terminal)),
  )

  question(root, 'events', 'Show what a running speaker has seen and done')
    .option('--follow', 'go on until Ctrl-C', false)
    .action(options =>
      act(async () => {
        const { events } = await import('./commands/events.ts')
        const { systemClock: clock } = await import('@carillon/core')
        const stopped = options.follow ? (await import('./stop.ts')).stopSignal() : noEnd
        const following = { clock, stopped, listen: listen(options) }
        return events({ ...options, ask: ask(options) }, terminal, following)
      }),
    )

  question(root, 'drain', 'Show who would take what a node announces, if its speaker fell silent')
    .argument('<node>')
    .option('--dry-run', 'only show it; nothing else is possible', false)
    .addOption(manifestsIfAny('instead of a running speaker ask '))
    .addOption(alive())
    .addOption(standalone())
    .addOption(lbClass())
    .addOption(ignoreExcludeLb())
    .action((node, options) =>
      act(async () =>
        (await import('./commands/drain.ts')).drain(node, { ...options, ask: ask(options) }, terminal),
      ),
    )
}
