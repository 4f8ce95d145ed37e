import { appendFileSync } from 'node:fs'
import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { cluster, service } from './support/manifests.ts'
import { describeLab } from './support/needs.ts'
import { bin, eventually, SpeakerLab } from './support/speaker-lab.ts'

const vip = '10.77.0.100'
const other = '10.77.0.101'
const manifests = cluster(['node-a'], service('web', { addresses: [vip] }))

describeLab('A speaker keeps up what works', ['arping', 'setpriv'], () => {
  let lab: SpeakerLab

  const answers = async (address: string): Promise<boolean> => (await lab.arping(address)).length > 0
  const owns = (name: string): Promise<string | null> =>
    lab.settled(`default/${name}`, owner => owner === 'node-a')
  const problem = (what: string, text: string): Promise<unknown> =>
    lab.whenStatus(
      'node-a',
      what,
      status => status.configuration === 'stale' && status.problems.some(one => one.message.includes(text)),
    )

  beforeAll(async () => {
    lab = await SpeakerLab.build('resilience', { nodes: ['node-a'], manifests })
    await lab.start(['node-a'], ['--garp-count', '1'])
  })

  afterAll(() => lab?.[Symbol.asyncDispose]())

  beforeEach(async () => {
    await lab.edit(manifests)
    await owns('web')
  })

  it('when the folder of manifests vanishes, and sees it when it is back', async () => {
    const away = `${lab.folder}-away`
    await rename(lab.folder, away)
    try {
      await lab.whenStatus('node-a', 'an event says so', status =>
        status.events.some(event => event.type === 'sourceFailed' && event.message.includes(lab.folder)),
      )
      expect(await answers(vip)).toBe(true)
    } finally {
      await rename(away, lab.folder)
    }
    await lab.edit(service('late', { addresses: [other] }), 'late.yaml')
    await owns('late')
    expect(await answers(vip)).toBe(true)
    await rm(join(lab.folder, 'late.yaml'))
    await lab.settled('default/late', owner => owner === null)
  })

  it('while a Service in the manifests is invalid: the status names it', async () => {
    await lab.edit(
      `${manifests}---\napiVersion: v1\nkind: Service\nmetadata: { name: odd }\nspec: { type: LoadBalancer, ports: 80 }\n`,
    )
    const named = await lab.whenStatus('node-a', 'the status names the Service', status =>
      status.problems.find(one => one.kind === 'Service' && one.name === 'odd'),
    )
    expect(named).toMatchObject({ severity: 'error', field: expect.stringContaining('spec.ports') })
    expect(await answers(vip)).toBe(true)
    expect((await lab.ask('node-a', '/readyz')).code).toBe(200)
  })

  it('while a file is half-written, and believes it when it is whole', async () => {
    const path = join(lab.folder, 'late.yaml')
    const text = service('late', { addresses: [other] })
    const half = text.indexOf('ports')
    await writeFile(path, text.slice(0, half))
    await problem('the status tells that the file is not understood', 'YAML')
    expect(await answers(vip)).toBe(true)
    await appendFile(path, text.slice(half))
    await owns('late')
    expect(await answers(other)).toBe(true)
    await rm(path)
    await lab.settled('default/late', owner => owner === null)
  })

  it('and sees an edit beside a file that is written all the time', async () => {
    const busy = join(lab.folder, 'busy.yaml')
    const writing = setInterval(() => appendFileSync(busy, '# and on it goes\n'), 10)
    try {
      await lab.edit(service('late', { addresses: [other] }), 'late.yaml')
      await owns('late')
      expect(await answers(vip)).toBe(true)
    } finally {
      clearInterval(writing)
    }
    await Promise.all([rm(busy), rm(join(lab.folder, 'late.yaml'))])
    await lab.settled('default/late', owner => owner === null)
  })

  it('but lets go of what a folder that is there no longer holds', async () => {
    await rename(join(lab.folder, 'cluster.yaml'), join(lab.folder, 'cluster.yaml.off'))
    await lab.settled('default/web', owner => owner === null)
    expect(await answers(vip)).toBe(false)
    await rename(join(lab.folder, 'cluster.yaml.off'), join(lab.folder, 'cluster.yaml'))
    await owns('web')
    expect(await answers(vip)).toBe(true)
  })

  it('when a second one is started beside it by mistake, which says what is in its way and ends', async () => {
    const { code, stderr } = await lab.carillon(
      'node-a',
      'run',
      '--node',
      'node-b',
      '--log-level',
      'silent',
      '--manifests',
      lab.folder,
    )
    expect(code).toBe(1)
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^carillon: .*127\.0\.0\.1:7472.*--http/),
    ])
    expect(await answers(vip)).toBe(true)
  })

  it('and one that may not send frames stays up, and says which capability it lacks', async () => {
    await lab.stop('node-a')
    const without = ['--bounding-set', '-net_raw', '--inh-caps', '-net_raw', '--ambient-caps', '-net_raw']
    const words = [...without, execPath, bin, 'run', '--node', 'node-a', '--manifests', lab.folder]
    const child = lab.net.spawn('node-a', 'setpriv', words)
    try {
      const status = await lab.whenStatus('node-a', 'the status says so', one =>
        JSON.stringify(one.announcers).includes('CAP_NET_RAW') ? one : undefined,
      )
      const failed = status.announcers.flatMap(one => one.status).find(one => one.address === vip)
      expect(failed).toMatchObject({ state: 'failed', error: { code: 'INTERFACE_FAILED' } })
      const { stdout } = await lab.carillon('node-a', 'status')
      expect(stdout).toMatch(/arp 10\.77\.0\.100: .*CAP_NET_RAW/)
      expect((await lab.ask('node-a', '/healthz')).code).toBe(200)
      expect(child.exitCode).toBeNull()
    } finally {
      child.kill('SIGTERM')
    }
    await new Promise(resolve => (child.exitCode === null ? child.once('exit', resolve) : resolve(undefined)))
    await lab.start(['node-a'], ['--garp-count', '1'])
    expect(await answers(vip)).toBe(true)
  })

  it('and one that is started wrongly, or on nothing, announces nothing and says why in one line', async () => {
    const run = async (...words: readonly string[]): Promise<readonly [number, string]> => {
      const { code, stderr } = await lab.carillon('client', 'run', '--log-level', 'silent', ...words)
      return [code, stderr.trim()]
    }
    expect(await run()).toEqual([2, expect.stringMatching(/^.*--manifests.*$/)])
    expect(await run('--manifests', lab.folder, '--http', 'nonsense')).toEqual([
      2,
      expect.stringMatching(/^carillon: .*--http.*$/),
    ])
    expect(await run('--manifests', lab.folder, '--no-such-option')).toEqual([
      2,
      expect.stringMatching(/^.*--no-such-option.*$/),
    ])
    expect(await run('--manifests', join(lab.folder, 'nothing'))).toEqual([
      1,
      expect.stringMatching(/^carillon: .*nothing: there is no such file or folder$/),
    ])
  })

  it('and one whose folder is empty at first waits, ready to serve', async () => {
    const folder = join(lab.folder, 'empty')
    await mkdir(folder)
    await lab.stop('node-a')
    const words = [bin, 'run', '--node', 'node-a', '--manifests', folder, '--garp-count', '1']
    const child = lab.net.spawn('node-a', execPath, words)
    await eventually('it is ready', async () =>
      (await lab.ask('node-a', '/readyz')).code === 200 ? true : undefined,
    )
    await writeFile(join(folder, 'cluster.yaml'), manifests)
    await lab.whenStatus('node-a', 'the address is announced', status =>
      status.announcers.some(one => one.status.some(({ state }) => state === 'announced')),
    )
    expect(await answers(vip)).toBe(true)
    child.kill('SIGTERM')
  })
})
