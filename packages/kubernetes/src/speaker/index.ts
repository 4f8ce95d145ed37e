export { PodPeers, type PodPeersOptions } from './pod-peers.ts'
export { SpeakerReporter, type SpeakerReporterOptions } from './speaker-reporter.ts'
