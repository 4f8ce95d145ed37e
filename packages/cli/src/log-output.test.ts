import { expect, it } from 'vitest'
import { LogOutput } from './log-output.ts'

/** A file on a disk that has room for so many bytes. */
class Disk {
  room = Number.POSITIVE_INFINITY
  text = ''
  readonly lost: number[] = []
  #later: (() => void)[] = []
  readonly output = new LogOutput({
    write: bytes => {
      const taken = Math.min(this.room, bytes.length)
      if (taken === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
      this.room -= taken
      this.text += Buffer.from(bytes.subarray(0, taken)).toString()
      return taken
    },
    later: run => this.#later.push(run),
    lost: lines => this.lost.push(lines),
  })

  /** What was to happen later happens now. */
  pass(): void {
    for (const run of this.#later.splice(0)) run()
  }
}

it('Lines are written at once', () => {
  const disk = new Disk()
  disk.output.write('one\n')
  disk.output.write('two\n')
  expect(disk.text).toBe('one\ntwo\n')
})

it('Lines that find no room wait for it, and none is missing or torn', () => {
  const disk = new Disk()
  disk.room = 6
  for (const line of ['one\n', 'two\n', 'three\n']) disk.output.write(line)
  expect(disk.text).toBe('one\ntw')
  disk.pass()
  disk.room = 3
  disk.pass()
  expect(disk.text).toBe('one\ntwo\nt')
  disk.room = 100
  disk.pass()
  expect(disk.text).toBe('one\ntwo\nthree\n')
  expect(disk.lost).toEqual([])
})

it('Only so many lines wait; how many were lost is told once there is room', () => {
  const disk = new Disk()
  disk.room = 0
  const line = `${'x'.repeat(1023)}\n`
  for (let i = 0; i < 300; i++) disk.output.write(line)
  disk.pass()
  expect(disk.lost).toEqual([])
  disk.room = Number.POSITIVE_INFINITY
  disk.pass()
  expect(disk.text).toBe(line.repeat(256))
  expect(disk.lost).toEqual([44])
  disk.output.write('after\n')
  expect(disk.text.endsWith('\nafter\n')).toBe(true)
  expect(disk.lost).toEqual([44])
})

it('At the end lines wait as long as there is patience', () => {
  const disk = new Disk()
  disk.room = 0
  disk.output.write('last words\n')
  let left = 3
  disk.output.finish(() => left-- > 0)
  expect([disk.text, left]).toEqual(['', -1])
  disk.output.finish(() => {
    disk.room += 6
    return true
  })
  expect(disk.text).toBe('last words\n')
})
