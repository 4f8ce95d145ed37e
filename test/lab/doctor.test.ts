import { execPath } from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cluster, service } from './support/manifests.ts'
import { describeLab } from './support/needs.ts'
import { bin, eventually, SpeakerLab } from './support/speaker-lab.ts'

const vip = '10.77.0.100'
const peer = `---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: { name: tor }
spec: { myASN: 64512, peerASN: 64513, peerAddress: 10.77.0.13 }
`
const nodes = ['node-a', 'node-b', 'node-c']
const manifests = `${cluster(nodes, service('web', { addresses: [vip] }))}${peer}`

/** What the doctor says in JSON. */
interface Report {
  readonly node: string
  readonly findings: readonly {
    readonly check: string
    readonly subject: string
    readonly result: string
    readonly message: string
    readonly advice: string | null
  }[]
}

describeLab('carillon doctor', ['nft', 'setpriv', 'python3'], () => {
  let lab: SpeakerLab
  let owner = ''

  /** Examines a host; gives what the doctor says of a subject, and how it ended. */
  const examine = async (
    host: string,
    args: readonly string[] = [],
    through: readonly string[] = [],
  ): Promise<{ code: number; of: (check: string, subject?: string) => Report['findings'][number] }> => {
    const words = [...through, execPath, bin, 'doctor', '--json', ...args]
    const [command = '', ...rest] = words
    const { code, stdout, stderr } = await lab.net.exec(host, command, rest)
    if (stdout === '') throw new Error(stderr)
    const { findings } = JSON.parse(stdout) as Report
    const of = (check: string, subject = ''): Report['findings'][number] => {
      const found = findings.find(one => one.check === check && one.subject === subject)
      if (!found) throw new Error(`nothing is said of ${check} ${subject}:\n${stdout}`)
      return found
    }
    return { code, of }
  }

  beforeAll(async () => {
    lab = await SpeakerLab.build('doctor', { nodes, manifests })
    await lab.start(
      ['node-a', 'node-b'],
      ['--garp-count', '1', '--gossip-join', '10.77.0.11', '--gossip-join', '10.77.0.12'],
    )
    owner = (await lab.settled('default/web', name => name === 'node-a' || name === 'node-b')) ?? ''
  })

  afterAll(() => lab?.[Symbol.asyncDispose]())

  it('finds a healthy node healthy, from inside a running cluster', async () => {
    const { of } = await examine(owner)
    const other = owner === 'node-a' ? '10.77.0.12' : '10.77.0.11'
    for (const way of ['UDP', 'TCP', 'back'])
      expect(of('gossip', `${other}:7946 ${way}`)).toMatchObject({ result: 'ok' })
    expect(of('gossip', '0.0.0.0:7946 UDP')).toMatchObject({
      result: 'ok',
      message: expect.stringMatching(/^held by .*carillon/),
    })
    expect(of('responders', vip)).toMatchObject({ result: 'ok', message: 'nobody else answers for it' })
    expect(of('privileges', 'CAP_NET_RAW').result).toBe('ok')
    expect(of('kernel', 'packet sockets').result).toBe('ok')
    expect(of('strictARP').result).toBe('ok')
  })

  it('sees from a node without a speaker that the members reach it, and who answers', async () => {
    const { of, code } = await examine('node-c', ['--gossip-join', '10.77.0.11', '--address', vip])
    expect(of('gossip', '10.77.0.11:7946 back')).toMatchObject({ result: 'ok' })
    expect(of('responders', vip)).toMatchObject({
      result: 'ok',
      message: `${await lab.mac(owner)} on eth0 answers`,
    })
    expect(code).toBe(0)
  })

  describe('names what is wrong', () => {
    let found: Awaited<ReturnType<typeof examine>>
    const other = (): string => (owner === 'node-a' ? '10.77.0.12' : '10.77.0.11')

    beforeAll(async () => {
      await lab.net.ipIn('client', 'address', 'add', `${vip}/32`, 'dev', 'eth0')
      // The kernels here have no dummy interfaces; what counts is the name.
      await lab.net.ipIn(owner, 'link', 'add', 'kube-ipvs0', 'type', 'bridge')
      await lab.net.exec(owner, 'nft', ['add', 'table', 'inet', 'cut'])
      await lab.net.exec(owner, 'nft', [
        'add',
        'chain',
        'inet',
        'cut',
        'in',
        '{ type filter hook input priority 0; }',
      ])
      await lab.net.exec(owner, 'nft', ['add', 'rule', 'inet', 'cut', 'in', 'tcp', 'dport', '7946', 'drop'])
      await lab.net.exec(owner, 'nft', [
        'add',
        'rule',
        'inet',
        'cut',
        'in',
        'udp',
        'dport',
        '7946',
        'ip',
        'saddr',
        other(),
        'drop',
      ])
      found = await examine(owner)
    })

    it('another station that answers for our address, by its MAC address', async () => {
      expect(found.of('responders', vip)).toMatchObject({
        result: 'error',
        message: expect.stringContaining(await lab.mac('client')),
      })
    })

    it('kube-proxy in IPVS mode without strict ARP', () => {
      expect(found.of('strictARP')).toMatchObject({
        result: 'error',
        advice: expect.stringContaining('strictARP: true'),
      })
    })

    it('a member whose datagrams do not come in, although it answers', () => {
      expect(found.of('gossip', `${other()}:7946 UDP`).result).toBe('ok')
      expect(found.of('gossip', `${other()}:7946 back`)).toMatchObject({
        result: 'error',
        advice: 'let UDP port 7946 in on this host',
      })
    })

    it('a BGP peer at which nobody listens', () => {
      expect(found.of('bgp', 'tor')).toMatchObject({
        result: 'error',
        message: expect.stringContaining('connection refused'),
      })
    })

    it('a member behind a firewall, as seen from outside', async () => {
      const at = owner === 'node-a' ? '10.77.0.11' : '10.77.0.12'
      const { of, code } = await examine('node-c', ['--gossip-join', at])
      expect(of('gossip', `${at}:7946 TCP`)).toMatchObject({
        result: 'error',
        message: 'cannot be reached (ETIMEDOUT)',
        advice: 'open TCP port 7946 between the nodes',
      })
      expect(of('gossip', `${at}:7946 UDP`).result).toBe('ok')
      expect(code).toBe(1)
    })

    it('a program that has the port, and a capability that is missing', async () => {
      const squat =
        'import socket,time; s=socket.create_server(("0.0.0.0", 7946)); print("here", flush=True); time.sleep(60)'
      const child = lab.net.spawn('node-c', 'python3', ['-c', squat])
      let here = false
      child.stdout?.once('data', () => {
        here = true
      })
      await eventually('the port is taken', () => here || undefined)
      const less = ['setpriv', '--bounding-set', '-net_raw', '--inh-caps', '-net_raw']
      const { of, code } = await examine('node-c', ['--address', vip], less)
      child.kill()
      expect(of('gossip', '0.0.0.0:7946 TCP')).toMatchObject({
        result: 'error',
        message: expect.stringMatching(/^held by another program: \S*python3 .*\(pid \d+\)$/),
      })
      expect(of('privileges', 'CAP_NET_RAW')).toMatchObject({ result: 'error' })
      expect(of('kernel', 'packet sockets')).toMatchObject({
        result: 'error',
        advice: 'give the process CAP_NET_RAW',
      })
      expect(of('responders', vip)).toMatchObject({ result: 'skipped' })
      expect(code).toBe(1)
    })
  })
})
