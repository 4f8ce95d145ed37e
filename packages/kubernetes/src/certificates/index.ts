export type {
  Certificates,
  CertificatesEvents,
  CertificatesStatus,
  ServingCertificate,
} from './certificates.ts'
export { MountedCertificates, type MountedCertificatesOptions } from './mounted-certificates.ts'
export { PassingCertificates, type PassingCertificatesOptions } from './passing-certificates.ts'
export type { Mint, RotationOptions } from './rotation.ts'
export { SecretCertificates, type SecretCertificatesOptions } from './secret-certificates.ts'
export { type TlsOptions, type TlsSettings, tlsSettings } from './tls-settings.ts'
export type { TrustTargets } from './trust-writer.ts'
export {
  type Certified,
  issueLeaf,
  type LeafRequest,
  makeAuthority,
  type Signer,
  type Validity,
} from './x509.ts'
