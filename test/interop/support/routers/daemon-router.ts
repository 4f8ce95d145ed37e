import { mkdir } from 'node:fs/promises'
import type { LabNet } from '@carillon/cli/lab'
import type { Daemon } from './daemon.ts'
import type { RouterConfig } from './router-config.ts'

/** What routers of one process have in common. */
export abstract class DaemonRouter {
  readonly host: string
  config: RouterConfig
  version = ''
  protected readonly net: LabNet
  protected readonly folder: string
  protected daemon: Daemon | undefined
  /** What processes before the present one have written. */
  #log = ''

  /** @param folder an empty folder of its own */
  constructor(net: LabNet, host: string, folder: string, config: RouterConfig) {
    this.net = net
    this.host = host
    this.folder = folder
    this.config = config
  }

  get running(): boolean {
    return this.daemon?.running ?? false
  }

  get pid(): number | undefined {
    return this.daemon?.pid
  }

  get log(): string {
    return this.#log + (this.daemon?.log ?? '')
  }

  async stop(): Promise<void> {
    await this.daemon?.stop()
  }

  async kill(): Promise<void> {
    await this.daemon?.kill()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  /** What comes before a process is started. */
  protected async prepare(changes: Partial<RouterConfig>): Promise<void> {
    this.config = { ...this.config, ...changes }
    this.#log = this.log
    this.daemon = undefined
    await mkdir(this.folder, { recursive: true })
  }
}
