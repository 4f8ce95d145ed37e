import { readFile } from 'node:fs/promises'
import { CarillonError } from '@carillon/core'
import { bird } from './bird.ts'
import { frr } from './frr.ts'
import { execute, type LabNet } from './lab-net.ts'

/** What a router of the lab is to do. */
export interface RouterTask {
  readonly net: LabNet
  /** The host that it runs on. */
  readonly host: string
  readonly asn: number
  readonly routerId: string
  /** The speakers that have sessions with it; they carry IPv4 and IPv6, with BFD at three times 50 ms. */
  readonly neighbours: readonly { readonly name: string; readonly address: string }[]
  readonly neighbourAsn: number
  /** For configuration files and sockets. */
  readonly folder: string
}

/** A routing program that installs the routes it learns in the kernel of its host, all next hops of a prefix at once. */
export interface RouterProgram {
  readonly name: string
  /** Programs without which it cannot run: full paths. */
  readonly commands: readonly string[]
  readonly debian: string
  /** Who it insists on running as; absent: whoever starts it. */
  readonly user?: string
  start(task: RouterTask): Promise<void>
}

export type RouterName = 'bird' | 'frr'

const programs: Readonly<Record<RouterName, RouterProgram>> = { bird, frr }

export const routerNames: readonly RouterName[] = ['bird', 'frr']

async function installed({ commands }: RouterProgram): Promise<boolean> {
  for (const command of commands) if ((await execute('test', ['-x', command])).code !== 0) return false
  return true
}

/** Whether processes of ours can become that user; in a user namespace of our own there is mostly nobody but root. */
async function canBecome(user: string): Promise<boolean> {
  const { code, stdout } = await execute('id', ['-u', user])
  if (code !== 0 || process.getuid?.() !== 0) return false
  const map = await readFile('/proc/self/uid_map', 'utf8')
  return map.split('\n').some(line => {
    const [first = Number.NaN, , count = 0] = line.trim().split(/\s+/).map(Number)
    return Number(stdout) >= first && Number(stdout) < first + count
  })
}

/** The router that is asked for, or the first one that can run here. Throws `LAB_UNAVAILABLE` that says what to install. */
export async function findRouter(wanted?: RouterName): Promise<RouterProgram> {
  const candidates = wanted === undefined ? routerNames : [wanted]
  for (const name of candidates) {
    const program = programs[name]
    if (!(await installed(program))) continue
    if (program.user === undefined || (await canBecome(program.user))) return program
    if (wanted === undefined) continue
    throw new CarillonError(
      'LAB_UNAVAILABLE',
      `${program.name} runs as the user "${program.user}", whom only root can become: run the lab as root, or with another router`,
      { user: program.user },
    )
  }
  const packages = candidates.map(name => `"${programs[name].debian}"`).join(' or ')
  throw new CarillonError(
    'LAB_UNAVAILABLE',
    `the lab with BGP needs a router that is not installed here: install the Debian package ${packages}`,
    { packages },
  )
}
