import type { SoakLab } from './soak-lab.ts'
import { routesOf, usual } from './wanted.ts'

const list = (words: readonly string[]): string => (words.length === 0 ? 'nobody' : words.join(' and '))

/** Addresses of the segment that do not have exactly one living owner, as the client finds by asking for them. */
export async function onSegment(lab: SoakLab, addresses: readonly string[]): Promise<readonly string[]> {
  const asked = new Set(lab.wanted.lan)
  const able = new Map(
    lab.living.filter(({ name }) => name !== lab.wanted.without).map(({ name, mac }) => [mac, name]),
  )
  const names = new Map([...lab.nodes.values()].map(({ name, mac }) => [mac, name]))
  const found: string[] = []
  for (const [address, macs] of await lab.ask(addresses)) {
    const right = asked.has(address)
      ? macs.length === 1 && macs.every(mac => able.has(mac))
      : macs.length === 0
    if (!right) found.push(`${address} is answered for by ${list(macs.map(mac => names.get(mac) ?? mac))}`)
  }
  return found
}

/** Nodes whose routes at the router are not those that they are to announce. */
export async function atRouter(lab: SoakLab): Promise<readonly string[]> {
  if (lab.away.has('router')) return []
  let told: ReadonlyMap<string, readonly string[]>
  try {
    told = await lab.router.routes()
  } catch (error) {
    return [`the router says nothing: ${String(error)}`]
  }
  const found: string[] = []
  for (const [node, prefixes] of told) {
    const wanted = lab.away.has(node) ? [] : routesOf(lab.wanted, node)
    if (prefixes.join() === wanted.join()) continue
    const has = new Set(prefixes)
    const missing = wanted.filter(prefix => !has.has(prefix)).length
    const more = prefixes.length - (wanted.length - missing)
    found.push(
      `the router has ${prefixes.length} routes of ${node}: ${missing} are missing, ${more} too many`,
    )
  }
  return found
}

/** Addresses on whose owner the living nodes do not agree, with each other or with who answers. */
export async function inTalk(lab: SoakLab, addresses: readonly string[]): Promise<readonly string[]> {
  const names = new Map([...lab.nodes.values()].map(({ name, mac }) => [mac, name]))
  const found: string[] = []
  for (const [address, macs] of await lab.ask(addresses)) {
    const answers = list(macs.map(mac => names.get(mac) ?? mac))
    for (const node of lab.living) {
      const says = (await node.status(address))?.services[0]?.owner ?? 'nobody'
      if (says !== answers)
        found.push(`${node.name} says that ${address} is ${says}'s, and ${answers} answers`)
    }
  }
  return found
}

/** Every address that the segment may ever be asked for. */
export const everyAddress: readonly string[] = usual([]).lan
