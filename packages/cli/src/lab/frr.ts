import { access, chown, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execute } from './lab-net.ts'
import { pause } from './pause.ts'
import type { RouterProgram, RouterTask } from './router.ts'

const daemon = (name: string): string => `/usr/lib/frr/${name}`

const user = 'frr'

const bfdd = `bfd
 profile lab
  detect-multiplier 3
  receive-interval 50
  transmit-interval 50
 exit
exit
`

function bgpd({ asn, routerId, neighbours, neighbourAsn }: RouterTask): string {
  const lines = neighbours.flatMap(({ address }) => [
    ` neighbor ${address} remote-as ${neighbourAsn}`,
    ` neighbor ${address} bfd profile lab`,
    ` neighbor ${address} timers connect 1`,
  ])
  const active = neighbours.map(({ address }) => `  neighbor ${address} activate`)
  return `router bgp ${asn}
 bgp router-id ${routerId}
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 bgp bestpath as-path multipath-relax
${lines.join('\n')}
 address-family ipv4 unicast
${active.join('\n')}
  maximum-paths 8
 exit-address-family
 address-family ipv6 unicast
${active.join('\n')}
  maximum-paths 8
 exit-address-family
exit
`
}

/** Waits until there is such a file, for five seconds at most. */
async function appears(file: string): Promise<void> {
  const end = performance.now() + 5000
  while (performance.now() < end) {
    const there = await access(file).then(
      () => true,
      () => false,
    )
    if (there) return
    await pause(20)
  }
}

/** FRR: zebra, bfdd and bgpd. */
export const frr: RouterProgram = {
  name: 'FRR',
  commands: ['zebra', 'bfdd', 'bgpd'].map(daemon),
  debian: 'frr',
  user,
  async start(task) {
    const { net, host, folder } = task
    // The daemons become their own user, who creates sockets here.
    const { stdout } = await execute('id', ['-u', user])
    await chown(folder, Number(stdout), -1)
    const configurations = { zebra: '', bfdd, bgpd: bgpd(task) }
    for (const [name, text] of Object.entries(configurations)) {
      const file = join(folder, `${name}.conf`)
      await writeFile(file, text)
      const place = ['-i', join(folder, `${name}.pid`), '-z', join(folder, 'zserv'), '--vty_socket', folder]
      const control = name === 'bfdd' ? ['--bfdctl', join(folder, 'bfdd.sock')] : []
      const args = ['-P', '0', '-f', file, ...place, ...control]
      net.spawn(host, daemon(name), args, { stdio: 'ignore' })
      // Who comes before zebra listens tries again only after ten seconds.
      if (name === 'zebra') await appears(join(folder, 'zserv'))
    }
  },
}
