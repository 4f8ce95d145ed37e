import { afterEach, expect, test } from 'vitest'
import { systemNetwork } from './network.ts'

const platform = process.platform

afterEach(() => {
  Object.defineProperty(process, 'platform', { value: platform })
})

test('elsewhere than on Linux it can be made, and every open fails with a code', async () => {
  Object.defineProperty(process, 'platform', { value: 'darwin' })
  const network = systemNetwork()
  const at = { address: '127.0.0.1', port: 0 }
  const opens = [
    () => network.datagrams(at),
    () => network.listen(at),
    () => network.connect(at),
    () => network.frames(1, 0x0806),
    () => network.icmp6(1, [135]),
    () => network.links(),
  ]
  for (const open of opens) {
    await expect(open()).rejects.toMatchObject({
      code: 'SOCKETS_UNAVAILABLE',
      message: expect.stringContaining('Linux only, this is darwin'),
    })
  }
})
