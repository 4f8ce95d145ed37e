import { Argument, type Command, InvalidArgumentError, Option } from 'commander'
import { speakerAt } from './client.ts'
import {
  alive,
  atLeast,
  ignoreExcludeLb,
  json,
  lbClass,
  manifests,
  manifestsIfAny,
  many,
  names,
  standalone,
} from './flags.ts'
import { emptyCommandLine, invoke } from './invoke.ts'
import { listenAt } from './listen.ts'
import { logLevels } from './log.ts'
import { type Action, addQuestions } from './questions.ts'
import type { Terminal } from './terminal.ts'

const versions = (value: string): readonly [number, number, number] => {
  const [min, max, current, ...more] = value.split(',').map(Number)
  const byte = (number: number | undefined): number is number =>
    number !== undefined && Number.isInteger(number) && number >= 0 && number < 255
  if (!byte(min) || !byte(max) || !byte(current) || more.length > 0) {
    throw new InvalidArgumentError('give three numbers from 0 to 254, such as 2,5,5.')
  }
  return [min, max, current]
}

const speakerHttp = (): Option =>
  new Option('--http <address:port>', 'where the running speaker serves HTTP').default('127.0.0.1:7472')

/** MetalLB's names of log levels, where they differ from ours. */
const metallbLevels: Readonly<Record<string, string>> = { all: 'trace', none: 'silent' }

const logLevel = (): Option =>
  new Option('--log-level <level>')
    .choices([...logLevels, ...Object.keys(metallbLevels)])
    .argParser(value => {
      const level = metallbLevels[value] ?? value
      if (!(logLevels as readonly string[]).includes(level))
        throw new InvalidArgumentError(`choose one of ${logLevels.join(', ')}.`)
      return level
    })
    .default('info')
const bgpPasswordFile = (): Option =>
  new Option(
    '--bgp-password-file <peer=file>',
    'the TCP-MD5 password of a BGPPeer, instead of one in the manifests; may be given several times',
  ).argParser(many)
const logFormat = (): Option =>
  new Option('--log-format <format>').choices(['json', 'pretty']).default('json')

/** How addresses are announced, and how nodes get on with each other: the same for every kind of speaker. */
const speaking = (): readonly Option[] => [
  ignoreExcludeLb(),
  new Option(
    '--exclude-interfaces <patterns>',
    'comma-separated regular expressions of interfaces never to announce on (default: those that MetalLB excludes; "" for none)',
  ).argParser(names),
  new Option('--garp-count <n>', 'gratuitous announcements after a takeover (default: 5)').argParser(
    atLeast(1),
  ),
  new Option('--garp-interval <ms>', 'milliseconds between them (default: 1100)').argParser(atLeast(10)),
  new Option(
    '--garp-refresh <ms>',
    'repeat one announcement this often while an address is held (default: off)',
  ).argParser(atLeast(1000)),
  new Option('--when-isolated <policy>', 'what to do with addresses while no other node is heard')
    .choices(['announce', 'silent'])
    .default('announce'),
  new Option(
    '--hold-down <ms>',
    'a node that comes back waits this long before it may be elected (default: 0)',
  ).argParser(atLeast(0)),
  new Option('--sticky', 'who holds an address keeps it while it lives, whatever the election says').default(
    false,
  ),
  new Option(
    '--bgp-listen <address[:port]>',
    'let the BGP peers connect to this node, on port 179 unless another is given (default: only those that are passive)',
  ),
]

/** What the two processes of a Kubernetes cluster have in common; flags and environment as MetalLB's. */
const inCluster = (): readonly Option[] => [
  new Option('--kubeconfig <file>', 'how to reach the API server (default: as the pod does, or kubectl)'),
  new Option('--namespace <name>', 'where the metallb.io resources are (default: that of the pod)').env(
    'METALLB_NAMESPACE',
  ),
  new Option('--pod-name <name>', 'the pod that this is; what it writes goes along with it').env(
    'METALLB_POD_NAME',
  ),
  new Option(
    '--lb-class <class>',
    'serve Services of this loadBalancerClass; "class," for those without one as well',
  ),
  new Option('--http <address:port>', 'where to serve status, probes and metrics; "off" disables').default(
    '127.0.0.1:7472',
  ),
  new Option('--port <port>', 'serve the same on this port of every address; 0 for no')
    .argParser(atLeast(0))
    .default(0),
  new Option('--health-probe-port <port>', 'serve the same on this port for probes').argParser(atLeast(1)),
  new Option(
    '--secure-metrics-port <port>',
    'serve metrics over TLS on this port of every address, to who may get the path /metrics in Kubernetes; 0 for no',
  )
    .argParser(atLeast(0))
    .default(0),
  new Option(
    '--metrics-cert-dir <folder>',
    'a mounted folder with tls.crt and tls.key for them (default: made at every start, and known to nobody)',
  ),
  new Option('--tls-min-version <version>', 'VersionTLS12 or VersionTLS13 (default: VersionTLS13)'),
  new Option('--tls-cipher-suites <names>', 'comma-separated, for TLS 1.2').argParser(names),
  new Option('--tls-curve-preferences <names>', 'comma-separated').argParser(names),
  logLevel(),
  logFormat(),
]

/** Flags of MetalLB that mean nothing here: accepted, so that a manifest need not be cleaned of them first. */
const meaningless = (...flags: readonly string[]): readonly Option[] =>
  flags.map(flag => new Option(flag, 'of MetalLB; means nothing here').hideHelp())

const withOptions = (command: Command, ...options: readonly Option[]): Command => {
  for (const option of options) command.addOption(option)
  return command
}

/** Builds the command line; each action is only loaded when it is asked for. `act` is told what to do. */
export function commandLine(terminal: Terminal, act: (action: Action) => void): Command {
  const root = emptyCommandLine('carillon', 'carillon', terminal).description(
    'Announces service addresses of bare-metal clusters.',
  )

  withOptions(root.command('run'), ...speaking())
    .description('Run one node without Kubernetes: manifests in, addresses announced')
    .addOption(manifests())
    .option('--node <name>', 'name of this node (default: the host name)')
    .addOption(
      new Option('--http <address:port>', 'where to serve status and metrics; "off" disables').default(
        '127.0.0.1:7472',
      ),
    )
    .addOption(lbClass())
    .addOption(
      new Option(
        '--gossip-bind <address[:port]>',
        'where to listen for the other nodes, UDP and TCP',
      ).default('0.0.0.0:7946'),
    )
    .option(
      '--gossip-advertise <address[:port]>',
      'where the other nodes reach this one (default: found out)',
    )
    .addOption(
      new Option('--gossip-join <address[:port]>', 'a node to join; may be given several times').argParser(
        many,
      ),
    )
    .option(
      '--gossip-key-file <file>',
      'encrypt with the secret in this file, used as MetalLB uses its secret',
    )
    .option('--gossip-label <text>', 'hear only nodes with the same label')
    .option(
      '--gossip-config <file>',
      "settings from a file as MetalLB's memberlist/config.json, instead of a profile",
    )
    .addOption(
      new Option('--gossip-profile <profile>', 'how closely nodes watch each other')
        .choices(['fast', 'lan', 'wan', 'local'])
        .default('fast'),
    )
    .addOption(bgpPasswordFile())
    .addOption(logLevel())
    .addOption(logFormat())
    .action(options => act(async () => (await import('./commands/run.ts')).run(options, terminal)))

  withOptions(
    root.command('controller').description('Give Services of a Kubernetes cluster their addresses'),
    ...inCluster(),
    new Option('--ml-secret-name <name>', 'make this Secret for the gossip of the speakers').env(
      'METALLB_ML_SECRET_NAME',
    ),
    new Option('--deployment <name>', 'the Deployment that the Secret goes along with').env(
      'METALLB_DEPLOYMENT',
    ),
    new Option('--webhook-mode <mode>', 'whether to serve the admission and conversion webhooks')
      .choices(['enabled', 'disabled', 'onlywebhook'])
      .default('enabled'),
    new Option(
      '--webhook-failure-policy <policy>',
      'what becomes of changes while no webhook answers, where the controllers fill in the webhooks',
    )
      .choices(['Fail', 'Ignore'])
      .default('Fail'),
    new Option('--webhook-port <port>', 'where to serve them').argParser(atLeast(1)).default(9443),
    new Option('--webhook-secret <name>', 'the Secret with their certificates').default(
      'metallb-webhook-cert',
    ),
    new Option('--cert-service-name <name>', 'the Service that leads to them').default(
      'metallb-webhook-service',
    ),
    new Option(
      '--cert-dir <folder>',
      'a mounted folder with tls.crt and tls.key, to be used instead',
    ).default('/tmp/k8s-webhook-server/serving-certs'),
    new Option('--disable-cert-rotation', 'wait for certificates in that folder; make none').default(false),
    ...meaningless('--pprof-bind-address <address>', '--webhook-http2'),
  ).action(options => act(async () => (await import('./commands/controller.ts')).controller(options)))

  withOptions(
    root
      .command('speaker')
      .description('Announce the addresses of Services from one node of a Kubernetes cluster'),
    ...inCluster(),
    new Option('--node-name <name>', 'name of this node in Kubernetes (default: the host name)').env(
      'METALLB_NODE_NAME',
    ),
    ...speaking(),
    new Option('--ml-bindaddr <address>', 'where to listen for the gossip of the other speakers').env(
      'METALLB_ML_BIND_ADDR',
    ),
    new Option('--ml-bindport <port>', 'its port (default: 7946)').env('METALLB_ML_BIND_PORT'),
    new Option('--ml-labels <selector>', "labels of the speakers' pods, by which they find each other").env(
      'METALLB_ML_LABELS',
    ),
    new Option('--ml-secret-key-path <folder>', "where the gossip's Secret is mounted").env(
      'METALLB_ML_SECRET_KEY_PATH',
    ),
    new Option('--ml-wan-config', 'the same as --gossip-profile wan').default(false),
    new Option('--gossip-profile <profile>', 'how closely speakers watch each other (default: fast)').choices(
      ['fast', 'lan', 'wan', 'local'],
    ),
    new Option('--gossip-label <text>', 'hear only speakers with the same label'),
    ...meaningless(
      '--host <address>',
      '--bgp-debounce-timeout <ms>',
      '--pprof-bind-address <address>',
      '--frrk8s-namespace <name>',
      '--frrk8s-secret-passthrough',
    ),
  ).action(options => act(async () => (await import('./commands/speaker.ts')).speaker(options)))

  root
    .command('gossip')
    .description('A bare gossip member that prints membership events as JSON lines')
    .option('--name <name>', 'name of this member (default: the host name)')
    .addOption(new Option('--bind <address[:port]>', 'where to listen, UDP and TCP').default('0.0.0.0:7946'))
    .option('--advertise <address[:port]>', 'where others reach this member (default: found out)')
    .addOption(
      new Option('--join <address[:port]>', 'a member to join; may be given several times').argParser(many),
    )
    .option('--key-file <file>', 'encrypt with the key in this file: 16, 24 or 32 bytes, or base64 of them')
    .option('--label <text>', 'hear only members with the same label')
    .addOption(
      new Option('--profile <profile>', 'how closely members watch each other')
        .choices(['fast', 'lan', 'wan', 'local'])
        .default('fast'),
    )
    .addOption(
      new Option(
        '--delegate-versions <min,max,current>',
        'versions of the delegate protocol; serf wants 2,5,5',
      ).argParser(versions),
    )
    .action(options => act(async () => (await import('./commands/gossip.ts')).gossip(options, terminal)))

  root
    .command('plan')
    .description('Print what would be allocated and announced, by which node, and why not by the others')
    .addOption(manifests())
    .addOption(alive())
    .addOption(standalone())
    .addOption(lbClass())
    .addOption(ignoreExcludeLb())
    .addOption(bgpPasswordFile())
    .addOption(json())
    .action(options => act(async () => (await import('./commands/plan.ts')).plan(options, terminal)))

  root
    .command('validate')
    .description('Print what is wrong with manifests, by kind, name and field')
    .addOption(manifests())
    .addOption(bgpPasswordFile())
    .addOption(json())
    .action(options => act(async () => (await import('./commands/validate.ts')).validate(options, terminal)))

  addQuestions(root, {
    terminal,
    act,
    flags: () => [speakerHttp()],
    ask: ({ http }) => speakerAt(String(http)),
    listen: ({ http }) => listenAt(String(http)),
  })

  root
    .command('doctor')
    .description('Check this host: privileges, ports, other nodes, who answers ARP, BGP peers, clock, kernel')
    .addOption(speakerHttp())
    .addOption(manifestsIfAny('addresses and peers from '))
    .option('--node <name>', 'name of this node (default: that of the running speaker, or the host name)')
    .addOption(
      new Option('--gossip-bind <address[:port]>', 'where the gossip listens, UDP and TCP').default(
        '0.0.0.0:7946',
      ),
    )
    .addOption(
      new Option(
        '--gossip-join <address[:port]>',
        'a member to talk with; may be given several times',
      ).argParser(many),
    )
    .option('--gossip-key-file <file>', 'the secret of the gossip, as for "carillon run"')
    .option('--gossip-label <text>', 'the label of the gossip')
    .addOption(
      new Option(
        '--address <address>',
        'an address that somebody may answer for; may be given several times',
      ).argParser(many),
    )
    .addOption(bgpPasswordFile())
    .addOption(json())
    .action(options => act(async () => (await import('./commands/doctor.ts')).doctor(options, terminal)))

  root
    .command('completion')
    .description('Print a script that completes commands and flags: source <(carillon completion bash)')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action(shell =>
      act(async () => {
        terminal.print((await import('./completion/index.ts')).completionScript(shell, root).trimEnd())
        return 0
      }),
    )

  root
    .command('lab')
    .description(
      'Build a small cluster in network namespaces on this host, and show an address being announced and moving',
    )
    .addOption(
      new Option(
        '--bgp [router]',
        'the same with BGP: a router learns of the address from every node (default: whichever is installed)',
      ).choices(['bird', 'frr']),
    )
    .option('--keep', 'stay until Ctrl-C instead of ending by itself', false)
    .addOption(json())
    .action(options => act(async () => (await import('./commands/lab.ts')).lab(options, terminal)))

  return root
}

/**
 * Runs the program with these arguments (without the names of node and of the script). Gives the exit code: 0 done, 1 the answer is
 * "no" or the input is invalid, 2 wrong usage.
 */
export const program = (argv: readonly string[], terminal: Terminal): Promise<number> =>
  invoke(act => commandLine(terminal, act), 'carillon', argv, terminal)
