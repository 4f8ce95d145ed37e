import { spawn } from 'node:child_process'
import { CarillonError } from '@carillon/core'
import { execute } from './lab-net.ts'

const marker = 'CARILLON_LAB_INSIDE'

const advice =
  'run it as root, or allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)'

/** True inside the namespaces that `enter` made. */
export const inside = (): boolean => process.env[marker] === '1'

/**
 * Runs this very command again in network, mount and process namespaces of its own (and a user namespace where we are not root), so
 * that nothing of the lab can be left behind: the kernel removes it all with its first process. Gives the exit code. Throws
 * `LAB_UNAVAILABLE`.
 */
export async function enter(): Promise<number> {
  if (process.platform !== 'linux') {
    throw new CarillonError(
      'LAB_UNAVAILABLE',
      'the lab is made of network namespaces, and only Linux has them',
    )
  }
  for (const tool of ['unshare', 'ip', 'sysctl']) {
    const { code } = await execute('sh', ['-c', `command -v ${tool}`])
    if (code === 0) continue
    const debian = { unshare: 'util-linux', ip: 'iproute2', sysctl: 'procps' }[tool]
    throw new CarillonError(
      'LAB_UNAVAILABLE',
      `the lab needs the program "${tool}" (Debian package ${debian})`,
      { tool },
    )
  }
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']
  const namespaces = [...user, '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc']
  const probe = await execute('unshare', [...namespaces, 'true'])
  if (probe.code !== 0) {
    throw new CarillonError('LAB_UNAVAILABLE', `cannot make namespaces (${probe.stderr.trim()}): ${advice}`)
  }
  const script = 'mount -t tmpfs tmpfs /run && exec "$0" "$@"'
  const child = spawn(
    'unshare',
    [...namespaces, 'sh', '-c', script, process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    { stdio: 'inherit', env: { ...process.env, [marker]: '1' } },
  )
  // Ctrl-C reaches the lab itself through the terminal; it cleans up and ends, and so do we.
  process.on('SIGINT', () => {})
  process.once('SIGTERM', () => child.kill('SIGKILL'))
  return await new Promise(resolve =>
    child.once('exit', (code, signal) => resolve(signal ? 130 : (code ?? 1))),
  )
}
