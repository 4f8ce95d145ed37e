/**
 * The page of a speaker: the whole cluster in a browser, live, without anything from elsewhere.
 *
 * @packageDocumentation
 */
export type {
  AddressRow,
  Attention,
  BeatEvent,
  Candidate,
  ExplanationAnswer,
  NodeReport,
  NodeRow,
  Parts,
  PartsEvent,
  PoolRow,
  RowsEvent,
  Seen,
  SessionReport,
  SessionRow,
  Silence,
  SuccessionAnswer,
  TimelineEntry,
  Totals,
} from './api.ts'
export { contentSecurityPolicy, type PageFile, type PageFileName, pageFile, pageFileNames } from './files.ts'
