import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Advertisement,
  type AnnouncementStatus,
  type Announcer,
  type AnnouncerContext,
  type AnnouncerEvents,
  type AnnouncerFactory,
  CarillonError,
  canonicalAddress,
  EventEmitter,
} from '@carillon/core'

/** How names are written down. */
export interface HostsFileOptions {
  /** Where the file of each node goes; a folder that DNS servers read, as dnsmasq does with `--hostsdir`. */
  readonly folder: string
  /**
   * The Service `web` in the namespace `default` is `web.default.<domain>`.
   * @default 'lan'
   */
  readonly domain?: string
}

/** Milliseconds after which a file that could not be written is tried again. */
const retryMs = 1000

/** Makes the names of Services resolve to the addresses that this node holds: one file for each node, in the format of /etc/hosts. */
export function hostsFile(options: HostsFileOptions): AnnouncerFactory {
  return context => new HostsFile(options, context)
}

/** The announcer that `hostsFile` makes. */
export class HostsFile implements Announcer {
  readonly name = 'hosts'
  readonly speakers = 'one'
  readonly families = [4, 6] as const
  readonly events: EventEmitter<AnnouncerEvents> = new EventEmitter()
  readonly path: string
  readonly #domain: string
  readonly #context: AnnouncerContext
  #desired: readonly Advertisement[] = []
  #told: ReadonlyMap<string, string> = new Map()
  /** What the file says; undefined: there is none. */
  #text: string | undefined
  #failure: CarillonError | undefined
  #work: Promise<void> = Promise.resolve()
  #cancelRetry = (): void => {}
  #state: 'new' | 'started' | 'closed' = 'new'

  constructor({ folder, domain = 'lan' }: HostsFileOptions, context: AnnouncerContext) {
    this.path = join(folder, `${context.node}.hosts`)
    this.#domain = domain
    this.#context = context
  }

  async start(): Promise<void> {
    await mkdir(join(this.path, '..'), { recursive: true })
    this.#state = 'started'
    this.#update()
  }

  announce(desired: readonly Advertisement[]): void {
    if (this.#state === 'closed') return
    this.#desired = [...desired]
    this.#update()
  }

  status(): readonly AnnouncementStatus[] {
    return this.#desired.map(advertisement => {
      const { address } = advertisement
      const line = this.#line(advertisement)
      if (line === undefined) {
        const error = new CarillonError('BAD_ADDRESS', `"${address}" is no IP address`, { address })
        return { address, state: 'failed', via: [], error }
      }
      if (this.#text?.includes(line)) return { address, state: 'announced', via: [this.path] }
      if (this.#failure) return { address, state: 'failed', via: [], error: this.#failure }
      return { address, state: 'pending', via: [] }
    })
  }

  /** Resolves once what was announced last has been written, or could not be. */
  written(): Promise<void> {
    return this.#work
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#state = 'closed'
    this.#cancelRetry()
    await this.#work
    await rm(this.path, { force: true })
  }

  /** `192.168.1.240 web.default.lan`, with a line end; undefined for what is no address. */
  #line({ address, services }: Advertisement): string | undefined {
    const names = services.map(service => `${service.split('/').reverse().join('.')}.${this.#domain}`)
    const text = canonicalAddress(address)
    return text && `${[text, ...names].join(' ')}\n`
  }

  /** Writes after whatever is being written, and only what is different. */
  #update(): void {
    this.#tell()
    this.#work = this.#work.then(() => this.#write())
  }

  async #write(): Promise<void> {
    const text = this.#desired.map(one => this.#line(one) ?? '').join('')
    if (this.#state !== 'started' || text === this.#text) return
    this.#cancelRetry()
    try {
      // Nobody reads half a file.
      await writeFile(`${this.path}.new`, text)
      await rename(`${this.path}.new`, this.path)
      this.#text = text
      this.#failure = undefined
    } catch (error) {
      this.#failure = new CarillonError('HOSTS_FILE', `${this.path} cannot be written: ${error}`)
      this.#context.log.warn({ err: error, path: this.path }, 'the hosts file cannot be written')
      this.#cancelRetry = this.#context.clock.after(retryMs, () => this.#update())
    }
    this.#tell()
  }

  /** Tells of every address whose state is not what was told last. */
  #tell(): void {
    const before = this.#told
    const status = this.status()
    this.#told = new Map(status.map(({ address, state }) => [address, state]))
    if (this.#state !== 'started') return
    for (const one of status)
      if (before.get(one.address) !== one.state) this.events.emit('announcement:changed', one)
  }
}
