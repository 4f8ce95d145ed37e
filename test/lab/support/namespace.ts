import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { getSystemErrorName } from 'node:util'
import { eventually } from './eventually.ts'

interface Netns {
  enter(fd: number): number
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const builder = here('../../../packages/sockets/scripts/build-native.mjs')
const addon = here('../../../node_modules/.cache/carillon/netns.node')

let loaded: { readonly netns: Netns; readonly home: number } | undefined
let current: number | undefined

/** The helper addon, and a descriptor of the namespace we were started in. */
function load(): { readonly netns: Netns; readonly home: number } {
  if (loaded) return loaded
  execFileSync(process.execPath, [builder], { stdio: ['ignore', 'ignore', 'inherit'] })
  execFileSync(process.execPath, [builder, '--addon', here('native'), addon], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  loaded = {
    netns: createRequire(import.meta.url)(addon) as Netns,
    home: openSync('/proc/thread-self/ns/net', 'r'),
  }
  return loaded
}

/** Moves this thread; gives where it was. */
function enter(fd: number): number {
  const { netns, home } = load()
  const before = current ?? home
  const result = netns.enter(fd)
  if (result < 0) throw new Error(`setns: ${getSystemErrorName(result)}`)
  current = fd
  return before
}

let count = 0

/** A network namespace of a test's own, removed with everything in it by `remove`. */
export class Namespace {
  readonly name: string
  readonly #fd: number

  constructor(label: string) {
    load()
    this.name = `carillon-${process.pid}-${count++}-${label}`
    execFileSync('ip', ['netns', 'add', this.name])
    this.#fd = openSync(`/run/netns/${this.name}`, 'r')
    this.ip('link', 'set', 'lo', 'up')
  }

  /** `ip` in this namespace; gives what it printed. */
  ip(...args: readonly string[]): string {
    return execFileSync('ip', ['-n', this.name, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  /** Any program in this namespace; gives what it printed. */
  run(program: string, ...args: readonly string[]): string {
    return this.inside(() =>
      execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    )
  }

  /**
   * Calls `body` with this thread in the namespace. For an async `body` that is so until its first await; sockets are
   * opened before that, and stay here wherever the thread goes.
   */
  inside<T>(body: () => T): T {
    const before = enter(this.#fd)
    try {
      return body()
    } finally {
      enter(before)
    }
  }

  /** Moves this thread here until `leave`, so that what runs later, in callbacks, runs here as well. */
  enter(): void {
    enter(this.#fd)
  }

  leave(): void {
    enter(load().home)
  }

  remove(): void {
    closeSync(this.#fd)
    execFileSync('ip', ['netns', 'delete', this.name])
  }
}

/**
 * Connects two namespaces with a virtual cable: an interface `eth0` (or another name) in each, up, with these addresses. IPv6 is of use
 * once `ready`.
 */
export function cable(
  a: Namespace,
  b: Namespace,
  options: { readonly a: readonly string[]; readonly b: readonly string[]; readonly name?: string },
): void {
  const name = options.name ?? 'eth0'
  a.ip('link', 'add', name, 'type', 'veth', 'peer', 'name', name, 'netns', b.name)
  for (const [namespace, addresses] of [
    [a, options.a],
    [b, options.b],
  ] as const) {
    for (const address of addresses) {
      namespace.ip('address', 'add', address, 'dev', name, ...(address.includes(':') ? ['nodad'] : []))
    }
    namespace.ip('link', 'set', name, 'addrgenmode', 'none')
    namespace.ip('link', 'set', name, 'up')
  }
}

/** Resolves when the interface has carrier and the kernel has taken note of it, which may take it a second. */
export async function ready(namespace: Namespace, name = 'eth0'): Promise<void> {
  await eventually(
    () => namespace.ip('-o', 'link', 'show', name).includes('state UP') || undefined,
    `${name} to be up`,
  )
}
