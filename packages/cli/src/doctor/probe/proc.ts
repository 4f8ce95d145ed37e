import { readdir, readFile, readlink } from 'node:fs/promises'

/** What a file of /proc or /sys holds; undefined when it is not there or may not be read. */
export async function fileText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    return undefined
  }
}

/** A number that a file holds. */
export async function fileNumber(path: string): Promise<number | undefined> {
  const text = (await fileText(path))?.trim()
  return text === undefined || !/^-?\d+$/.test(text) ? undefined : Number(text)
}

/** The effective capabilities of this process, as bits. */
export async function effectiveCapabilities(): Promise<bigint | undefined> {
  const found = /^CapEff:\s*([0-9a-f]+)$/m.exec((await fileText('/proc/self/status')) ?? '')
  return found ? BigInt(`0x${found[1]}`) : undefined
}

/** The process that has the socket of a port, as far as it may be seen; of several the first. */
export async function holderOf(
  protocol: 'udp' | 'tcp',
  port: number,
): Promise<{ readonly pid: number; readonly command: string } | undefined> {
  const inodes = new Set<string>()
  for (const table of [protocol, `${protocol}6`])
    for (const inode of inodesOf((await fileText(`/proc/self/net/${table}`)) ?? '', port)) inodes.add(inode)
  if (inodes.size === 0) return undefined
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
      if (inode === undefined || !inodes.has(inode)) continue
      const words = ((await fileText(`/proc/${pid}/cmdline`)) ?? '').split('\0').filter(word => word !== '')
      return { pid: Number(pid), command: words.slice(0, 3).join(' ').slice(0, 120) }
    }
  }
  return undefined
}

/** The inodes of the sockets in a table of /proc/net that are bound to a port and not connected. */
export function inodesOf(table: string, port: number): readonly string[] {
  return table.split('\n').flatMap(line => {
    const words = line.trim().split(/\s+/)
    const [, local = '', remote = ''] = words
    const bound = Number.parseInt(local.split(':')[1] ?? '', 16) === port
    const inode = words[9]
    return bound && /^0+:0+$/.test(remote) && inode !== undefined ? [inode] : []
  })
}
