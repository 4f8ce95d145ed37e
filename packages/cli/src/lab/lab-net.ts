import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process'
import { CarillonError } from '@carillon/core'

/** What a command printed, and how it ended. */
export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end; a code other than 0 is an outcome, not an error. */
export function execute(command: string, args: readonly string[], input?: string): Promise<Outcome> {
  return new Promise(resolve => {
    const child = execFile(
      command,
      [...args],
      { timeout: 60_000, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === 'number' ? error.code : 127) : 0
        resolve({ code, stdout, stderr: stderr || (error && code === 127 ? error.message : '') })
      },
    )
    if (input !== undefined) child.stdin?.end(input)
  })
}

/** An interface of a lab host on a bridge. */
export interface LabPort {
  readonly host: string
  readonly bridge: string
  /** Name of the interface inside the host. */
  readonly interface: string
  /** Name of the other end, the switch port. */
  readonly port: string
}

/**
 * Hosts on one machine: each a network namespace, joined by bridges. Everything has this lab's prefix, and goes when the lab is
 * closed: namespaces, and every process in them.
 */
export class LabNet implements AsyncDisposable {
  readonly prefix: string
  readonly #hosts = new Set<string>()
  readonly #children = new Set<ChildProcess>()
  #ports = 0

  /** @param name short; the namespaces are called `carillon-NAME-PID-HOST` */
  constructor(name: string) {
    this.prefix = `carillon-${name}-${process.pid}`
  }

  /** The name of a host's namespace, for `ip netns exec`. */
  namespace(host: string): string {
    return `${this.prefix}-${host}`
  }

  /** Runs `ip` on this machine and fails with what it said. */
  async ip(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await execute('ip', args)
    if (code === 0) return stdout
    throw new CarillonError(
      'LAB_UNAVAILABLE',
      `ip ${args.join(' ')}: ${stderr.trim() || `exit code ${code}`}`,
      { command: args.join(' ') },
    )
  }

  /** Runs `ip` inside a host. */
  ipIn(host: string, ...args: readonly string[]): Promise<string> {
    return this.ip('-n', this.namespace(host), ...args)
  }

  /** A new host, with only a loopback interface. */
  async host(host: string): Promise<void> {
    await this.ip('netns', 'add', this.namespace(host))
    this.#hosts.add(host)
    await this.ipIn(host, 'link', 'set', 'lo', 'up')
    // Duplicate address detection takes seconds that no lab wants to wait.
    await this.sysctl(host, {
      'net.ipv6.conf.all.accept_dad': 0,
      'net.ipv6.conf.default.accept_dad': 0,
      'net.ipv6.conf.default.router_solicitations': 0,
    })
  }

  /** A new bridge in a host of its own, without spanning tree and snooping. */
  async bridge(host: string): Promise<void> {
    await this.host(host)
    await this.ipIn(
      host,
      'link',
      'add',
      'br0',
      'type',
      'bridge',
      'stp_state',
      '0',
      'forward_delay',
      '0',
      'mcast_snooping',
      '0',
    )
    await this.ipIn(host, 'link', 'set', 'br0', 'up')
  }

  /** Gives a host an interface on a bridge, with addresses (`10.0.0.1/24`). */
  async join(bridge: string, host: string, addresses: readonly string[], name = 'eth0'): Promise<LabPort> {
    const port = `p${++this.#ports}-${host}`.slice(0, 15)
    await this.ipIn(
      host,
      'link',
      'add',
      name,
      'type',
      'veth',
      'peer',
      'name',
      port,
      'netns',
      this.namespace(bridge),
    )
    await this.ipIn(bridge, 'link', 'set', port, 'master', 'br0', 'up')
    await this.ipIn(host, 'link', 'set', name, 'up')
    for (const address of addresses) {
      const nodad = address.includes(':') ? ['nodad'] : []
      await this.ipIn(host, 'addr', 'add', address, 'dev', name, ...nodad)
    }
    return { host, bridge, interface: name, port }
  }

  /** Cuts a port off, or connects it again; the interface keeps its carrier, as behind a switch that fails. */
  async cut({ bridge, port }: LabPort, cut: boolean): Promise<void> {
    await this.exec(bridge, 'bridge', ['link', 'set', 'dev', port, 'state', cut ? '0' : '3'])
  }

  /**
   * Puts service addresses on a host's loopback interface, mute: the kernel delivers what is sent to them, and leaves answering for
   * them to others. It stands in for what kube-proxy does.
   */
  async serve(host: string, addresses: readonly string[]): Promise<void> {
    for (const address of addresses) {
      const length = address.includes(':') ? '/128' : '/32'
      await this.ipIn(host, 'addr', 'add', `${address}${length}`, 'dev', 'lo')
    }
    await this.sysctl(host, { 'net.ipv4.conf.all.arp_ignore': 1, 'net.ipv4.conf.all.arp_announce': 2 })
  }

  async sysctl(host: string, settings: Readonly<Record<string, string | number>>): Promise<void> {
    const words = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
    const { code, stderr } = await this.exec(host, 'sysctl', ['-qw', ...words])
    if (code !== 0)
      throw new CarillonError('LAB_UNAVAILABLE', `sysctl in ${host}: ${stderr.trim()}`, { host })
  }

  /** Runs a command inside a host, to its end. */
  exec(host: string, command: string, args: readonly string[] = []): Promise<Outcome> {
    return execute('ip', ['netns', 'exec', this.namespace(host), command, ...args])
  }

  /** Starts a process inside a host; the lab ends it at the latest when it is closed. */
  spawn(host: string, command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.namespace(host), command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options,
    })
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    return child
  }

  /** Ids of the processes inside a host. */
  async processes(host: string): Promise<readonly number[]> {
    const { stdout } = await execute('ip', ['netns', 'pids', this.namespace(host)])
    return stdout.split('\n').filter(Boolean).map(Number)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL')
    for (const host of this.#hosts) {
      for (const pid of await this.processes(host)) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch {
          // It has ended by itself meanwhile.
        }
      }
      await execute('ip', ['netns', 'del', this.namespace(host)])
    }
    this.#hosts.clear()
  }
}
