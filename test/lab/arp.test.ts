import { afterAll, beforeAll, expect, it } from 'vitest'
import { l2, node, pool, service } from './support/manifests.ts'
import { describeLab } from './support/needs.ts'
import { eventually, SpeakerLab } from './support/speaker-lab.ts'

const vip = '10.77.0.100'
const nodes = ['node-a', 'node-b', 'node-c']
const cluster = (...services: readonly string[]): string =>
  [pool('lan', '10.77.0.100-10.77.0.120'), l2('all'), ...nodes.map(name => node(name)), ...services].join('')

describeLab('IPv4 clients on the segment', ['arping', 'ping'], () => {
  let lab: SpeakerLab

  beforeAll(async () => {
    lab = await SpeakerLab.build('arp', { nodes, manifests: cluster(service('web', { addresses: [vip] })) })
    await lab.start()
  })

  afterAll(() => lab?.[Symbol.asyncDispose]())

  it('get one answer, with the MAC address of the node that every node says is the owner', async () => {
    const owner = await lab.owner('default/web')
    expect(nodes).toContain(owner)
    expect(await lab.arping(vip)).toEqual([await lab.mac(owner ?? '')])
  })

  it('reach a server behind the address through their own kernel, which knows the owner by its MAC address', async () => {
    const owner = (await lab.owner('default/web')) ?? ''
    for (const name of nodes) await lab.net.serve(name, [vip])
    await lab.net.ipIn('client', 'neigh', 'flush', 'dev', 'eth0')
    const { code } = await lab.client('ping', '-c', '1', '-W', '2', vip)
    expect(code).toBe(0)
    expect(await lab.neighbour(vip)).toBe(await lab.mac(owner))
  })

  it('are told that the address is taken when they ask before using it themselves', async () => {
    // arping -D: exit code 1 when somebody answers the probe.
    const { code } = await lab.client('arping', '-D', '-I', 'eth0', '-c', '2', '-w', '3', vip)
    expect(code).toBe(1)
  })

  it('get no answer for an address of the pool that no Service has', async () => {
    expect(await lab.arping('10.77.0.101')).toEqual([])
  })

  it('follow the address when its owner may not announce it any more, without asking', async () => {
    const owner = (await lab.owner('default/web')) ?? ''
    await lab.client('ping', '-c', '1', vip)
    const selector = {
      matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'NotIn', values: [owner] }],
    }
    const text = await lab.read()
    await lab.edit(text.replace(l2('all'), l2('all', { nodeSelectors: [selector] })))
    const next = await eventually('another owner', async () => {
      const now = await lab.owner('default/web').catch(() => owner)
      return now === owner ? undefined : (now ?? undefined)
    })
    const mac = await lab.mac(next)
    await eventually('the neighbour table says so', async () =>
      (await lab.neighbour(vip)) === mac ? true : undefined,
    )
    expect(await lab.arping(vip)).toEqual([mac])
    await lab.edit(text)
    await eventually('the address is back', async () =>
      (await lab.owner('default/web').catch(() => '')) === owner ? true : undefined,
    )
  })

  it('keep their answers while a manifest is broken, and the status names the problem', async () => {
    const owner = (await lab.owner('default/web')) ?? ''
    const text = await lab.read()
    await lab.edit(`${text}---\nkind: [oops\n`)
    await eventually('the status names it', async () => {
      const status = await lab.status(owner)
      return status?.configuration === 'stale' && status.problems[0]?.message.includes('YAML')
        ? true
        : undefined
    })
    await lab.edit(text.replace('10.77.0.100-10.77.0.120', '10.77.0.120-10.77.0.100'))
    await eventually('the status names the field', async () => {
      const status = await lab.status(owner)
      return status?.problems.some(problem => problem.field === 'spec.addresses[0]') ? true : undefined
    })
    expect(await lab.arping(vip)).toEqual([await lab.mac(owner)])
    await lab.edit(text)
    await eventually('all is well', async () =>
      (await lab.status(owner))?.configuration === 'valid' ? true : undefined,
    )
  })

  it('get the same plan from "carillon plan" as the nodes carry out', async () => {
    const { stdout } = await lab.carillon(
      'node-a',
      'plan',
      '--standalone',
      '--json',
      '--manifests',
      lab.folder,
    )
    const planned = JSON.parse(stdout) as {
      readonly services: readonly { readonly announcements: readonly unknown[] }[]
    }
    for (const name of nodes) {
      const status = await lab.status(name)
      expect(status?.services.map(({ announcements }) => announcements)).toEqual(
        planned.services.map(({ announcements }) => announcements),
      )
    }
  })

  it('can ask any node where the address is, and why', async () => {
    const owner = (await lab.owner('default/web')) ?? ''
    const where = await lab.carillon('node-c', 'where', vip)
    expect(where).toMatchObject({ code: 0, stdout: expect.stringContaining(`is at ${owner}`) })
    const explain = await lab.carillon('node-c', 'explain', 'default/web')
    expect(explain.stdout).toContain(`Owner       ${owner}`)
    expect(explain.stdout).toMatch(/notOwner/)
    expect(await lab.carillon('node-c', 'where', '10.77.0.99')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('10.77.0.99'),
    })
  })

  it('lose nothing but the address itself when the owner is told to stop: it ends in time and is silent', async () => {
    const owner = (await lab.owner('default/web')) ?? ''
    const started = performance.now()
    await lab.signal(owner, 'SIGTERM')
    expect(await lab.exited(owner)).toBe(0)
    expect(performance.now() - started).toBeLessThan(2000)
    expect(await lab.arping(vip)).toEqual([])
  })
})
