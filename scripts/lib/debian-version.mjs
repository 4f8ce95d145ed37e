import { spawnSync } from 'node:child_process'

/** The installed version of a Debian package, or that there is none. */
export function debianVersion(name) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query fills it in
  const { status, stdout } = spawnSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8' })
  return status === 0 && stdout !== '' ? stdout : 'not installed'
}
