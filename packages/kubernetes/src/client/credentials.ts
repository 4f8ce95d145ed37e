import type { Agent } from 'node:https'

/** What a request needs to be let in. What has not changed since the last time is the same object. */
export interface Access {
  readonly headers: Readonly<Record<string, string>>
  readonly tls: TlsMaterial
  /** Connections are made by this, rather than by an agent of our own made from `tls`. */
  readonly agent?: Agent
}

/** How the two sides know each other over TLS, as Node.js takes it. PEM. */
export interface TlsMaterial {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  /** Name that the server's certificate has to have, where it is not that of its address. */
  readonly servername?: string
  /** False: any certificate will do. */
  readonly rejectUnauthorized?: boolean
}

/** Where access comes from: the files of a pod, a kubeconfig, a program's own. */
export interface Credentials {
  /** `https://10.96.0.1:443` */
  readonly server: string
  /** The namespace that it names as one's own. */
  readonly namespace?: string
  /** Rejects with `CREDENTIALS_UNAVAILABLE`. Cheap while nothing has to be read again. */
  access(): Promise<Access>
  /** Whatever is remembered may be out of date. */
  renew(): void
}
