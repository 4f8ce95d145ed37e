import { CarillonError, type SpeakerStatus } from '@carillon/core'
import { type Ask, fetchStatus, statusPath } from '../client.ts'
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
  let way: Promise<Ask> | undefined
  return async of => {
    way ??= findWay(kubectl, options)
    return await (await way)(of)
  }
}

async function findWay(kubectl: Kubectl, options: PodOptions): Promise<Ask> {
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
  const pod = chooseSpeaker(items, `namespace ${namespace}, ${selector}`, node)
  const { name } = pod.metadata
  const port = options.podPort ?? openPort(pod)
  if (port !== undefined) {
    const base = `/api/v1/namespaces/${namespace}/pods/${name}:${port}/proxy`
    return async of => parse(await kubectl.run('get', '--raw', `${base}${statusPath(of)}`), name)
  }
  const address = { address: '127.0.0.1', port: await kubectl.forward(namespace, name, loopbackPort) }
  return of => fetchStatus(address, of)
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
