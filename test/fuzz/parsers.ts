import type { Parser } from './parser.ts'
import { gossipParsers } from './parsers/gossip.ts'
import { kubernetesParsers } from './parsers/kubernetes.ts'
import { programParsers } from './parsers/program.ts'
import { resourceParsers } from './parsers/resources.ts'
import { routingParsers } from './parsers/routing.ts'
import { segmentParsers } from './parsers/segment.ts'

/** Everything that reads what others wrote. */
export const parsers: readonly Parser[] = [
  ...gossipParsers,
  ...routingParsers,
  ...segmentParsers,
  ...resourceParsers,
  ...kubernetesParsers,
  ...programParsers,
]
