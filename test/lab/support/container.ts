import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execute, type Outcome } from '@carillon/cli/lab'
import type { Image, Mount } from './image.ts'
import { runtimeDefault } from './seccomp.ts'

/** What a manifest says of a container's rights; a container's own comes before its pod's. */
export interface SecurityContext {
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly runAsNonRoot?: boolean
  readonly allowPrivilegeEscalation?: boolean
  readonly readOnlyRootFilesystem?: boolean
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] }
  readonly seccompProfile?: { readonly type: string }
}

export interface ContainerOptions {
  readonly name: string
  /** A folder of its own, which exists. */
  readonly folder: string
  /** The network namespace that it is in. */
  readonly network: string
  readonly image: Image
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly mounts: readonly Mount[]
  readonly security: SecurityContext
}

/** The capabilities that are left. @throws Error where not all are dropped first: which ones that would leave, every runtime says otherwise */
function capabilitiesOf({ capabilities: { drop = [], add = [] } = {} }: SecurityContext): readonly string[] {
  if (!drop.includes('ALL')) throw new Error('the capabilities of a runtime are not known here: drop ALL')
  return add.map(name => `CAP_${name}`)
}

/** The runtime's configuration, as containerd writes it for such a manifest: capabilities are bounds, and none is inherited or ambient. */
function configuration({ image, security, ...options }: ContainerOptions): object {
  const capabilities = capabilitiesOf(security)
  const uid = security.runAsUser ?? image.user[0]
  if (security.runAsNonRoot === true && uid === 0) throw new Error('runAsNonRoot, and the user is root')
  const type = security.seccompProfile?.type
  return {
    ociVersion: '1.0.2',
    hostname: options.name,
    root: { path: image.root, readonly: security.readOnlyRootFilesystem === true },
    process: {
      user: { uid, gid: security.runAsGroup ?? (uid === 0 ? 0 : image.user[1]) },
      args: [...image.entrypoint, ...options.args],
      env: [...image.env, ...Object.entries(options.env).map(([name, value]) => `${name}=${value}`)],
      cwd: '/',
      noNewPrivileges: security.allowPrivilegeEscalation === false,
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      ...image.mounts,
      ...options.mounts,
    ],
    linux: {
      cgroupsPath: `/carillon-${process.pid}-${options.name}`,
      namespaces: [
        ...['pid', 'ipc', 'uts', 'mount'].map(type => ({ type })),
        { type: 'network', path: `/run/netns/${options.network}` },
      ],
      maskedPaths: ['/proc/kcore', '/proc/keys', '/proc/timer_list', '/sys/firmware'],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
      ...(type === 'RuntimeDefault' ? { seccomp: runtimeDefault(capabilities) } : {}),
    },
  }
}

/** A container, run by runc as in most clusters. */
export class Container implements AsyncDisposable {
  readonly exit: Promise<number | null>
  readonly #id: string
  readonly #state: string
  readonly #child: ChildProcess
  #log = ''

  constructor(options: ContainerOptions) {
    const { folder, name } = options
    this.#id = name
    this.#state = join(folder, 'state')
    mkdirSync(this.#state)
    writeFileSync(join(folder, 'config.json'), JSON.stringify(configuration(options)))
    const words = ['--root', this.#state, 'run', '--bundle', folder, name]
    this.#child = spawn('runc', words, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', chunk => {
        this.#log += chunk
      })
    this.exit = new Promise(resolve => this.#child.once('exit', resolve))
  }

  /** Everything that it has written. */
  get log(): string {
    return this.#log
  }

  /** Runs a program in it, with its rights, as `kubectl exec` does. */
  exec(...words: readonly string[]): Promise<Outcome> {
    return execute('runc', ['--root', this.#state, 'exec', this.#id, ...words])
  }

  /** What the kernel says of its first process: `Uid`, `CapEff`, `NoNewPrivs` and so on. */
  async rights(): Promise<ReadonlyMap<string, string>> {
    const { stdout } = await execute('runc', ['--root', this.#state, 'state', this.#id])
    const { pid } = JSON.parse(stdout) as { readonly pid: number }
    const lines = readFileSync(`/proc/${pid}/status`, 'utf8').trimEnd().split('\n')
    return new Map(lines.map(line => line.split(/:\t */, 2) as [string, string]))
  }

  /** Ends it as Kubernetes does; resolves to its exit code. */
  terminate(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    return this.exit
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await execute('runc', ['--root', this.#state, 'delete', '--force', this.#id])
    await this.exit
  }
}
