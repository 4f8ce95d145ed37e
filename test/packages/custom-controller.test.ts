import type { ChildProcess } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeLab } from '../lab/support/needs.ts'
import { eventually, SpeakerLab } from '../lab/support/speaker-lab.ts'
import { compile, project } from './support/packed.ts'

const example = fileURLToPath(new URL('../../examples/custom-controller/', import.meta.url))
const apiServer = fileURLToPath(new URL('../lab/programs/api-server.mjs', import.meta.url))
const installed = join(project, 'custom-controller')
const nodes = ['node-a', 'node-b', 'node-c']
const names = ['printer', 'door', 'camera', 'phone']

it('the example of a controller has fewer than a hundred lines', () => {
  expect(readFileSync(join(example, 'controller.ts'), 'utf8').split('\n').length).toBeLessThan(100)
})

describeLab('a controller of one’s own, installed from packages', ['kubectl', 'arping'], () => {
  let lab: SpeakerLab
  const processes = new Map<string, ChildProcess>()
  let log = ''

  const start = (
    name: string,
    host: string,
    program: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): void => {
    const child = lab.net.spawn(host, 'env', [
      ...Object.entries(env).map(([key, value]) => `${key}=${value}`),
      process.execPath,
      ...program,
    ])
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        log += `${name}: ${chunk}`
      })
    processes.set(name, child)
  }
  const kubeconfig = (): string => join(lab.folder, 'kubeconfig')
  const kubectl = async (...words: readonly string[]): Promise<string> => {
    const { stdout, stderr, code } = await lab.client('kubectl', '--kubeconfig', kubeconfig(), ...words)
    if (code !== 0) throw new Error(stderr)
    return stdout.trim()
  }
  /** What `kubectl get` shows: address and node by name. */
  const shown = async (): Promise<ReadonlyMap<string, readonly [address: string, node: string]>> => {
    const lines = (await kubectl('get', 'floatingaddresses', '--no-headers')).split('\n')
    return new Map(
      lines.map(line => {
        const [name = '', address = '', node = ''] = line.split(/\s+/)
        return [name, [address, node] as const]
      }),
    )
  }
  /** Which node answers the client's ARP request; undefined when nobody does, or several do. */
  const answering = async (address: string): Promise<string | undefined> => {
    const heard = await lab.arping(address)
    for (const node of nodes) if (heard.length === 1 && heard[0] === (await lab.mac(node))) return node
    return undefined
  }
  const told = (what: string): Error => new Error(`${what}\n${log}`)

  beforeAll(async () => {
    rmSync(installed, { recursive: true, force: true })
    mkdirSync(installed)
    for (const file of ['controller.ts', 'tsconfig.json', 'package.json'])
      cpSync(join(example, file), join(installed, file))
    const complaints = compile(installed)
    if (complaints !== '') throw new Error(complaints)

    lab = await SpeakerLab.build('custom', { nodes, manifests: '' })
    const objects = names.map(
      name => `---\napiVersion: example.org/v1\nkind: FloatingAddress\nmetadata: { name: ${name} }\n`,
    )
    writeFileSync(join(lab.folder, 'objects.yaml'), objects.join(''))
    start('api', 'client', [apiServer, '10.77.0.1', lab.folder, join(example, 'crd.yaml')])
    await eventually('the API server runs', () => existsSync(kubeconfig()) || undefined, 30)
    for (const [i, node] of nodes.entries())
      start(node, node, [join(installed, 'dist', 'controller.js')], {
        NODE: node,
        POOL: '10.77.0.100-10.77.0.102',
        JOIN: nodes
          .map((_, j) => `10.77.0.1${j + 1}`)
          .filter((_, j) => j !== i)
          .join(),
        KUBECONFIG: kubeconfig(),
      })
    await eventually(
      'every node is ready',
      () => nodes.every(node => log.includes(`${node} is ready`)) || undefined,
      30,
    )
  })
  afterAll(async () => {
    for (const child of processes.values()) child.kill('SIGKILL')
    await lab?.[Symbol.asyncDispose]()
  })

  it('gives addresses of its pool, and the node that kubectl shows answers for each', async () => {
    await kubectl('apply', '--validate=false', '-f', join(lab.folder, 'objects.yaml'))
    const all = await eventually(
      'addresses and nodes are shown',
      async () => {
        const rows = await shown()
        return [...rows.values()].filter(([, node]) => nodes.includes(node)).length === 3 ? rows : undefined
      },
      30,
    ).catch(error => {
      throw told(String(error))
    })
    const given = [...all.values()].filter(([address]) => address.startsWith('10.77.0.'))
    expect(given.map(([address]) => address).sort()).toEqual(['10.77.0.100', '10.77.0.101', '10.77.0.102'])
    for (const [address, node] of given) expect(await answering(address), address).toBe(node)
  })

  it('says of the one too many why it has none', async () => {
    const messages = await kubectl('get', 'floatingaddresses', '-o', 'jsonpath={.items[*].status.message}')
    expect(messages).toBe('every address of the pool is in use: add some, or free one')
  })

  it('another node takes over when one dies, and says so', async () => {
    const [name, [address, dead]] = [...(await shown())].find(([, [, node]]) => nodes.includes(node)) ?? [
      '',
      ['', ''],
    ]
    processes.get(dead)?.kill('SIGKILL')
    await eventually(
      'another node answers',
      async () => {
        const node = await answering(address)
        return node !== undefined && node !== dead ? node : undefined
      },
      20,
    ).catch(error => {
      throw told(String(error))
    })
    const next = await eventually(
      'kubectl shows it',
      async () => {
        const [, node = ''] = (await shown()).get(name) ?? []
        return node !== dead && node !== '' ? node : undefined
      },
      20,
    )
    expect(await answering(address)).toBe(next)
  })
})
