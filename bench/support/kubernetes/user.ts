import { argv, stdin, stdout } from 'node:process'
import { createInterface } from 'node:readline'
import { connect, resourceTypes } from '@carillon/kubernetes'
import { service } from './objects.ts'

// Somebody who makes Services and looks at them: `user.js KUBECONFIG`. It is told what to do line by line, and answers each with one line:
// `wait COUNT` answers when that many Services have an address; `make NUMBER` makes a Service and answers when it has one.
const { client } = await connect({ kubeconfig: argv[2] ?? '' })

const addresses = new Map<string, string>()
const seen = new Map<string, number>()
let told = (): void => {}

/** Milliseconds by the computer's clock, which tcpdump goes by too. */
const calendar = (): number => performance.timeOrigin + performance.now()

interface Seen {
  readonly metadata: { readonly name: string }
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip: string }[] } }
}

function look(object: unknown): void {
  const { metadata, status } = object as Seen
  const ip = status?.loadBalancer?.ingress?.[0]?.ip
  if (ip === undefined || addresses.has(metadata.name)) return
  addresses.set(metadata.name, ip)
  seen.set(metadata.name, calendar())
}

async function until(ready: () => boolean): Promise<void> {
  while (!ready())
    await new Promise<void>(resolve => {
      told = resolve
    })
}

async function follow(): Promise<void> {
  const { items, resourceVersion } = await client.listAll(resourceTypes.services)
  items.forEach(look)
  await client.watch(resourceTypes.services, {
    resourceVersion,
    timeoutSeconds: 3600,
    opened: () => stdout.write('{}\n'),
    events: events => {
      for (const { object } of events) look(object)
      told()
    },
  })
}

async function make(number: number): Promise<unknown> {
  const name = `probe-${number}`
  const [one, slice] = service(name, number)
  await client.create(resourceTypes.endpointSlices, {
    ...slice,
    metadata: { ...slice.metadata, name: `${name}-slice` },
  })
  const from = calendar()
  const annotations = { 'metallb.io/address-pool': 'probes' }
  await client.create(resourceTypes.services, { ...one, metadata: { ...one.metadata, name, annotations } })
  await until(() => addresses.has(name))
  return { from, at: seen.get(name), address: addresses.get(name) }
}

const lines = createInterface(stdin)
void follow()
for await (const line of lines) {
  const [word = '', count] = line.split(' ')
  let answer: unknown
  if (word === 'wait') {
    await until(() => addresses.size >= Number(count))
    answer = { at: Math.max(...seen.values()) }
  } else answer = await make(Number(count))
  stdout.write(`${JSON.stringify(answer)}\n`)
}
