// Prints how opening sockets fails, for a run without some capability.
import { systemNetwork } from '@carillon/sockets'

const network = systemNetwork()

async function refusal(open: Promise<unknown>): Promise<{ code?: string; message?: string }> {
  try {
    await open
    return {}
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    return { code, message }
  }
}

const frames = await refusal(network.frames(1, 0x0806))
const icmp6 = await refusal(network.icmp6(1, [135]))
const port = await refusal(network.datagrams({ address: '127.0.0.1', port: 53 }))
process.stdout.write(JSON.stringify({ frames, icmp6, port }))
