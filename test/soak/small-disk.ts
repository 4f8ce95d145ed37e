import { closeSync, ftruncateSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { execute } from '@carillon/cli/lab'

/** Bytes that a file system in memory gives out at once. */
export const page = 4096

const withoutRoom = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOSPC'

/** A small file system of its own, in memory, that can be full. */
export class SmallDisk implements AsyncDisposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static async mount(path: string, megabytes: number): Promise<SmallDisk> {
    await mkdir(path)
    const words = ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'carillon-soak', path]
    const { code, stderr } = await execute('mount', words)
    if (code !== 0) throw new Error(`mount ${words.join(' ')}: ${stderr}`)
    return new SmallDisk(path)
  }

  /** Writes a file in one step. */
  async write(name: string, text: string): Promise<void> {
    const path = join(this.path, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  }

  /** Takes all room. */
  fill(): void {
    const file = openSync(this.#filling, 'a')
    const much = new Uint8Array(16 * page)
    try {
      for (;;) writeSync(file, much)
    } catch (error) {
      if (!withoutRoom(error)) throw error
    } finally {
      closeSync(file)
    }
  }

  /** Overwrites a file on the full disk, where there is room only for this share of the text; fails where there was more. */
  writeInto(name: string, text: string, share: number): void {
    const path = join(this.path, name)
    const file = openSync(path, 'w')
    try {
      // What was in the file until now is not the only thing that would like the room that it had.
      this.fill()
      const pages = Math.floor((Buffer.byteLength(text) * share) / page)
      const filling = openSync(this.#filling, 'r+')
      ftruncateSync(filling, (Math.floor(statSync(this.#filling).size / page) - pages) * page)
      closeSync(filling)
      writeFileSync(file, text)
    } catch (error) {
      if (withoutRoom(error)) return
      throw error
    } finally {
      closeSync(file)
    }
    throw new Error(`${path} found room for all of the edit`)
  }

  /** Gives the room back. */
  free(): void {
    rmSync(this.#filling, { force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await execute('umount', ['-l', this.path])
    await rm(this.path, { recursive: true, force: true })
  }

  get #filling(): string {
    return join(this.path, 'filling')
  }
}
