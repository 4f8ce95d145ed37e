import { CarillonError, type Endpoint, formatEndpoint, type SpeakerStatus } from '@carillon/core'
import { type Ask, fetchStatus, statusPath } from '../client.ts'
import { eventsPath, type Listen, listenAt, readEvents } from '../listen.ts'
import { Kubectl } from './kubectl.ts'
import { chooseSpeaker, openPort, type Pod } from './speaker-pod.ts'

/** Which speaker is asked, and how it is reached. */
export interface PodOptions {
  readonly namespace: string
  readonly selector: string
  /** Node of the speaker; absent: any. */
  readonly node?: string
  /** Port that the API server is to use; absent: found out. */
  readonly podPort?: number
  readonly kubeconfig?: string
  readonly context?: string
  readonly as?: string
}

/** The port that a speaker serves on loopback, unless told otherwise. */
const loopbackPort = 7472

const flagsOf = ({ kubeconfig, context, as }: PodOptions): readonly string[] => [
  ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
  ...(context === undefined ? [] : [`--context=${context}`]),
  ...(as === undefined ? [] : [`--as=${as}`]),
]

/**
 * Asks the speaker in a pod: through the API server's proxy where the pod has a port that is open to it, else over a port that kubectl
 * forwards. The pod is looked for once. Throws `NO_SPEAKER`, `BAD_ANSWER` or `KUBECTL_FAILED`.
 */
export function podSpeaker(options: PodOptions): Ask {
  const kubectl = new Kubectl(flagsOf(options))
  let way: Promise<Way> | undefined
  return async of => {
    way ??= findWay(kubectl, options)
    const found = await way
    if ('port' in found) return fetchStatus(found, of)
    return parse(await kubectl.run('get', '--raw', `${found.base}${statusPath(of)}`), found.pod)
  }
}

/**
 * Hears the speaker in a pod, reached as one that is asked. Each time a pod is looked for anew: the one before may be gone. Throws `NO_SPEAKER`,
 * `BAD_ANSWER` or `KUBECTL_FAILED`.
 */
export function podEvents(options: PodOptions): Listen {
  const kubectl = new Kubectl(flagsOf(options))
  return async function* listen(last, signal) {
    const found = await findWay(kubectl, options, signal)
    if ('port' in found) yield* listenAt(formatEndpoint(found))(last, signal)
    else
      yield* readEvents(kubectl.stream(signal, 'get', '--raw', `${found.base}${eventsPath(last)}`), found.pod)
  }
}

/** How a speaker is reached: a path of the API server, or a port that is forwarded. */
type Way = { readonly pod: string; readonly base: string } | Endpoint

/** A port is forwarded until the signal comes. */
async function findWay(kubectl: Kubectl, options: PodOptions, signal?: AbortSignal): Promise<Way> {
  const { namespace, selector, node } = options
  const text = await kubectl.run(
    'get',
    'pods',
    '--namespace',
    namespace,
    '--selector',
    selector,
    '--output=json',
  )
  const { items } = JSON.parse(text) as { readonly items: readonly Pod[] }
  const chosen = chooseSpeaker(items, `namespace ${namespace}, ${selector}`, node)
  const { name: pod } = chosen.metadata
  const port = options.podPort ?? openPort(chosen)
  if (port !== undefined) return { pod, base: `/api/v1/namespaces/${namespace}/pods/${pod}:${port}/proxy` }
  return { address: '127.0.0.1', port: await kubectl.forward(namespace, pod, loopbackPort, signal) }
}

function parse(text: string, pod: string): SpeakerStatus {
  try {
    return JSON.parse(text) as SpeakerStatus
  } catch (error) {
    throw new CarillonError(
      'BAD_ANSWER',
      `the pod ${pod} does not answer as a speaker does`,
      { pod },
      { cause: error },
    )
  }
}
