import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RouterProgram, RouterTask } from './router.ts'

const command = '/usr/sbin/bird'

function configuration({ asn, routerId, neighbours, neighbourAsn }: RouterTask): string {
  const peers = neighbours.map(
    ({ name, address }) => `
protocol bgp '${name}' {
  local as ${asn};
  neighbor ${address} as ${neighbourAsn};
  bfd on;
  connect delay time 1;
  error wait time 1, 2;
  ipv4 { import all; export none; };
  ipv6 { import all; export none; };
}`,
  )
  return `router id ${routerId};
protocol device { scan time 1; }
protocol direct { ipv4; ipv6; }
protocol kernel { ipv4 { export where source = RTS_BGP; }; merge paths on; }
protocol kernel { ipv6 { export where source = RTS_BGP; }; merge paths on; }
protocol bfd { interface "*" { min rx interval 50 ms; min tx interval 50 ms; multiplier 3; }; }
${peers.join('')}
`
}

/** BIRD 2. */
export const bird: RouterProgram = {
  name: 'BIRD',
  commands: [command],
  debian: 'bird2',
  async start(task) {
    const { net, host, folder } = task
    const file = join(folder, 'bird.conf')
    await writeFile(file, configuration(task))
    const args = ['-f', '-c', file, '-s', join(folder, 'bird.ctl'), '-P', join(folder, 'bird.pid')]
    net.spawn(host, command, args, { stdio: 'ignore' })
  },
}
