/** The eight groups of an IPv6 address, each as four digits. */
function groups(address: string): readonly string[] {
  const [head = '', tail] = address.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = tail === undefined ? 0 : 8 - before.length - after.length
  return [...before, ...Array<string>(Math.max(0, missing)).fill('0'), ...after].map(group =>
    group.padStart(4, '0'),
  )
}

/** Text by which addresses sort as numbers do, IPv4 before IPv6. */
export function addressKey(address: string): string {
  if (address.includes(':')) return `6${groups(address).join('')}`
  return `4${address
    .split('.')
    .map(octet => octet.padStart(3, '0'))
    .join('')}`
}
