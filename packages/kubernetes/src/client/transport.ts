/** One request over HTTP. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Ends the request, also while its answer is being read. */
  readonly signal: AbortSignal
}

/** The answer, as soon as its headers are there. */
export interface HttpAnswer {
  readonly status: number
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Fails when the connection breaks. Has to be read to its end, or the request be given up. */
  readonly body: AsyncIterable<Uint8Array>
}

/** How requests reach the API server. `connect` makes one over TLS; a test scripts one. */
export interface Transport extends AsyncDisposable {
  /** `https://10.96.0.1:443`; for messages. */
  readonly server: string
  send(request: HttpRequest): Promise<HttpAnswer>
  /** One side did not accept the other: credentials are obtained anew before the next request. */
  renew(): void
}
