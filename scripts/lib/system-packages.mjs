import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { cache } from './project.mjs'
import { run } from './run.mjs'

/** Where a Debian package goes whose program is wanted whatever else of its name is on PATH. */
const beside = name => cache('debian', name)

/**
 * What npm cannot bring: command (for a library, its folder) -> Debian package -> what needs it. One that is `beside` is unpacked for us
 * alone, and replaces nothing on this machine.
 */
export const programs = [
  { command: 'g++', debian: 'g++', for: ['build'], why: 'builds the native addon' },
  {
    command: 'ip',
    debian: 'iproute2',
    for: ['start', 'test', 'bench'],
    why: 'builds the network of the lab',
  },
  {
    command: 'ping',
    debian: 'iputils-ping',
    for: ['test'],
    why: 'makes the kernel of a lab client use an address',
  },
  { command: 'arping', debian: 'iputils-arping', for: ['test'], why: 'asks for IPv4 addresses in lab tests' },
  { command: 'ndisc6', debian: 'ndisc6', for: ['test'], why: 'asks for IPv6 addresses in lab tests' },
  { command: 'tshark', debian: 'tshark', for: ['test'], why: 'decodes our frames in lab tests' },
  {
    command: 'python3',
    debian: 'python3',
    for: ['build', 'test'],
    why: 'builds the native addon, and is a client in lab tests',
  },
  { command: 'tcpdump', debian: 'tcpdump', for: ['test'], why: 'records frames in lab tests' },
  {
    command: 'nft',
    debian: 'nftables',
    for: ['test', 'bench'],
    why: 'loses packets on purpose in lab tests',
  },
  {
    command: 'kubectl',
    debian: 'kubernetes-client',
    for: ['test'],
    why: 'is a real client of the API server for tests',
  },
  {
    command: join(beside('kubernetes-client'), 'usr', 'bin', 'kubectl'),
    debian: 'kubernetes-client',
    beside: true,
    for: ['test'],
    why: 'is an old client of the API server for tests',
  },
  { command: 'promtool', debian: 'prometheus', for: ['test'], why: 'reads the alerts as Prometheus does' },
  {
    command: 'prometheus',
    debian: 'prometheus',
    for: ['test'],
    why: 'evaluates the dashboard and the alerts',
  },
  {
    command: 'serf',
    debian: 'serf',
    for: ['test', 'bench'],
    why: 'is a stranger that our gossip gets on with',
  },
  { command: 'keepalived', debian: 'keepalived', for: ['bench'], why: 'is what takeovers are compared with' },
  { command: 'go', debian: 'golang-go', for: ['test', 'bench'], why: 'builds another such stranger' },
  { command: 'zsh', debian: 'zsh', for: ['test'], why: 'loads the completion that is made for it' },
  { command: 'fish', debian: 'fish', for: ['test'], why: 'loads the completion that is made for it' },
  {
    command: 'faketime',
    debian: 'faketime',
    for: ['test'],
    why: 'sets the clock of one process in the soak test',
  },
  {
    command: 'prlimit',
    debian: 'util-linux',
    for: ['test'],
    why: 'takes open files from a process there',
  },
  { command: 'mount', debian: 'mount', for: ['test'], why: 'gives each process a small disk there' },
  { command: 'runc', debian: 'runc', for: ['test'], why: 'confines pods as their manifests say' },
  {
    command: '/usr/share/containers/seccomp.json',
    debian: 'golang-github-containers-common',
    for: ['test'],
    why: 'lists the system calls that such pods are left',
  },
  {
    command: '/usr/share/gocode/src/github.com/hashicorp/memberlist',
    debian: 'golang-github-hashicorp-memberlist-dev',
    for: ['test', 'bench'],
    why: 'is what that stranger is built on',
  },
  { command: '/usr/lib/frr/bgpd', debian: 'frr', for: ['test'], why: 'is a router that we announce to' },
  { command: 'bird', debian: 'bird2', for: ['test'], why: 'is another such router' },
  { command: 'gobgpd', debian: 'gobgpd', for: ['test'], why: 'is another such router' },
  { command: 'exabgp', debian: 'exabgp', for: ['test'], why: 'is another such router' },
  { command: 'chromium', debian: 'chromium', for: ['test'], why: 'shows the page to its tests' },
]

// A plain user's PATH lacks the sbin folders on Debian, although `ip` works without root.
const folders = () =>
  [...new Set([...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'])].filter(Boolean)

function installed(command) {
  if (isAbsolute(command)) return existsSync(command)
  return folders().some(folder => {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** The programs that `purpose` ('build', 'start', 'test', 'bench') needs and this machine lacks. */
export const missingPrograms = purpose =>
  programs.filter(program => program.for.includes(purpose) && !installed(program.command))

// Debian asks this program before it starts what a package brings as a service.
const policy = '/usr/sbin/policy-rc.d'

/**
 * Has no service started while `body` runs: tests start daemons of their own, and a router that this machine did not ask for might
 * do harm. What a killed process leaves behind permits everything.
 */
async function withoutServices(body) {
  if (existsSync(policy)) return body()
  writeFileSync(policy, `#!/bin/sh\nkill -0 ${process.pid} 2>/dev/null && exit 101\nexit 0\n`, {
    mode: 0o755,
  })
  try {
    return await body()
  } finally {
    rmSync(policy, { force: true })
  }
}

/** Unpacks a package into a folder of ours, or says what went wrong. */
async function unpack(name) {
  mkdirSync(beside(name), { recursive: true })
  const folder = mkdtempSync(cache('debian-'))
  try {
    const download = await run('apt-get', ['download', '-q', name], { cwd: folder, capture: true })
    const archives = readdirSync(folder).map(file => join(folder, file))
    const words = ['--extract', ...archives, beside(name)]
    const { code, output } = download.code === 0 ? await run('dpkg-deb', words, { capture: true }) : download
    if (code !== 0) console.error(output)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * Installs what is missing where that is ours to do: as root, on Debian or Ubuntu. Elsewhere says what is missing and how to
 * install it. Afterwards PATH includes the sbin folders, and CARILLON_MISSING lists the commands that are still missing, by
 * comma, so that tests which need one skip with that reason.
 */
export async function provideSystemPackages(purposes) {
  process.env.PATH = folders().join(delimiter)
  const wanted = () => [...new Set(purposes.flatMap(missingPrograms))]
  const debian = process.platform === 'linux' && existsSync('/etc/debian_version') && installed('apt-get')
  const all = wanted()
  if (all.length > 0 && debian && process.getuid?.() === 0) {
    const named = new Set(all.map(program => program.debian))
    console.log(`Installing system packages with apt-get: ${[...named].join(' ')}`)
    const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, capture: true }
    const update = await run('apt-get', ['update', '-q'], options)
    const packages = all.filter(program => !program.beside).map(program => program.debian)
    const words = ['install', '-y', '-q', '--no-install-recommends', ...packages]
    const install =
      packages.length === 0 ? update : await withoutServices(() => run('apt-get', words, options))
    if (install.code !== 0) console.error(`${update.code === 0 ? '' : update.output}${install.output}`)
    for (const program of all.filter(one => one.beside)) await unpack(program.debian)
  }
  const missing = wanted()
  for (const { command, debian: name, why } of missing)
    console.error(`Missing: ${command} (package ${name}): ${why}.`)
  const names = missing
    .filter(program => !program.beside)
    .map(program => program.debian)
    .join(' ')
  if (names !== '') {
    console.error(`To install on Debian or Ubuntu: sudo apt-get install --no-install-recommends ${names}`)
  }
  process.env.CARILLON_MISSING = missing.map(program => program.command).join(',')
  return missing
}
