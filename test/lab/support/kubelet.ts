import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LabNet } from '@carillon/cli/lab'
import type { NewObject } from '@carillon/kubernetes/testing'
import { Container, type SecurityContext } from './container.ts'
import { image, type Mount, readOnly } from './image.ts'

/** As much of a pod's template as kubelet's stand-in obeys. */
export interface Template {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> }
  readonly spec: {
    readonly serviceAccountName: string
    readonly hostNetwork?: boolean
    readonly terminationGracePeriodSeconds: number
    readonly securityContext?: SecurityContext
    readonly containers: readonly {
      readonly args: readonly string[]
      readonly env: readonly {
        readonly name: string
        readonly value?: string
        readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } }
      }[]
      readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
      readonly readinessProbe: {
        readonly httpGet: { readonly host?: string; readonly path: string; readonly port: string | number }
      }
      readonly securityContext?: SecurityContext
      readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
    }[]
    readonly volumes?: readonly {
      readonly name: string
      readonly secret?: { readonly secretName: string; readonly defaultMode?: number }
    }[]
  }
}

/** A pod on a node, in whose network namespace it is, also where a cluster would give it one of its own. */
export interface Placed {
  readonly name: string
  readonly namespace: string
  readonly node: string
  readonly address: string
  readonly template: Template
}

/** The Pod object that a workload's controller, the scheduler and kubelet would have made by now. */
export const podObject = ({
  name,
  namespace,
  node,
  address,
  template: { metadata, spec },
}: Placed): NewObject =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: metadata.labels },
    spec: { ...spec, nodeName: node },
    status: { phase: 'Running', podIP: address, hostIP: address },
  }) as NewObject

/** Files for a volume. */
function written(folder: string, files: Readonly<Record<string, string | Buffer>>, mode = 0o644): string {
  mkdirSync(folder, { recursive: true })
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), content)
    chmodSync(join(folder, name), mode)
  }
  return folder
}

/** Starts the only container of a pod as its manifest says. */
export class Kubelet {
  readonly #net: LabNet
  readonly #folder: string
  readonly #api: string

  /**
   * @param folder holds, for each account, a folder of what its pods are given to ask the API server
   * @param api address of the API server
   */
  constructor(net: LabNet, folder: string, api: string) {
    this.#net = net
    this.#folder = folder
    this.#api = api
  }

  /** @param secrets the `data` of every Secret that is mounted, by its name */
  run(pod: Placed, secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {}): Container {
    const { name, node, template } = pod
    const { spec } = template
    const [container] = spec.containers
    if (container === undefined) throw new Error(`${name} has no container`)
    const folder = join(this.#folder, name)
    for (const one of ['', 'root', 'volumes']) mkdirSync(join(folder, one))
    const fields: Readonly<Record<string, string>> = {
      'metadata.name': name,
      'metadata.namespace': pod.namespace,
      'spec.nodeName': node,
      'status.podIP': pod.address,
    }
    const own = container.env.map(({ name, value, valueFrom }) => [
      name,
      value ?? fields[valueFrom?.fieldRef.fieldPath ?? ''] ?? '',
    ])
    const volumes = (container.volumeMounts ?? []).map(({ name, mountPath }): Mount => {
      const { secretName = '', defaultMode } = spec.volumes?.find(one => one.name === name)?.secret ?? {}
      const files = Object.entries(secrets[secretName] ?? {}).map(
        ([file, data]) => [file, Buffer.from(data, 'base64')] as const,
      )
      return readOnly(
        written(join(folder, 'volumes', name), Object.fromEntries(files), defaultMode),
        mountPath,
      )
    })
    const account = join(this.#folder, spec.serviceAccountName)
    return new Container({
      name,
      folder,
      network: this.#net.namespace(node),
      image: image(join(folder, 'root')),
      args: container.args,
      env: {
        KUBERNETES_SERVICE_HOST: this.#api,
        KUBERNETES_SERVICE_PORT: '6443',
        ...(Object.fromEntries(own) as Record<string, string>),
      },
      mounts: [...volumes, readOnly(account, '/var/run/secrets/kubernetes.io/serviceaccount')],
      security: { ...spec.securityContext, ...container.securityContext },
    })
  }

  /** Whether the pod is ready, as its probe says from where kubelet asks: the node. */
  async ready({ node, address, template }: Placed): Promise<boolean> {
    const [container] = template.spec.containers
    const { host = address, path, port } = container?.readinessProbe.httpGet ?? { path: '', port: 0 }
    const number = container?.ports.find(({ name }) => name === port)?.containerPort ?? port
    const script = 'fetch(process.argv[1]).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))'
    const words = ['-e', script, `http://${host.includes(':') ? `[${host}]` : host}:${number}${path}`]
    return (await this.#net.exec(node, process.execPath, words)).code === 0
  }
}
