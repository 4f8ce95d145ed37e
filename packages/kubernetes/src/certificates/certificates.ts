import type { CarillonError } from '@carillon/core'
import type { EventEmitter } from 'eventemitter3'

/** What a server shows, both in PEM. */
export interface ServingCertificate {
  readonly certificate: string
  readonly key: string
}

/** What certificates tell. */
export interface CertificatesEvents {
  /** From now on this one is to be shown. */
  'certificate:changed': (certificate: ServingCertificate) => void
}

/** How certificates stand. */
export interface CertificatesStatus {
  /** Until when the serving certificate is valid, ISO 8601; absent: there is none. */
  readonly validTo?: string
  /** Why it cannot be kept up; absent while it can. */
  readonly failing?: { readonly since: string; readonly error: CarillonError }
}

/** Where a server's certificate comes from. It may change at any time. */
export interface Certificates extends AsyncDisposable {
  readonly events: EventEmitter<CertificatesEvents>
  /** Resolves with a certificate that can be shown. */
  start(): Promise<ServingCertificate>
  /** The one to be shown now. */
  current(): ServingCertificate | undefined
  status(): CertificatesStatus
}
