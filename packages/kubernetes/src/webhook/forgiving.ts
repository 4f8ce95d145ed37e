import { type ParsedConfig, type Problem, parseConfig, type Snapshot } from '@carillon/core'

/** Marks what is only taken to exist. */
const assumed = 'taken to exist'

const assume = (kind: string, name: string): Problem => ({
  severity: 'error',
  kind,
  name,
  field: '',
  message: assumed,
})

/**
 * Everything that is wrong with a configuration apart from references to objects that do not exist (yet): those are taken to exist, as
 * objects of which nothing is known.
 */
export function problemsButMissing(snapshot: Snapshot): readonly Problem[] {
  const { problems } = forgivinglyParsed(snapshot)
  return problems.filter(({ message }) => message !== assumed)
}

function forgivinglyParsed(snapshot: Snapshot): ParsedConfig {
  const profiles = new Set(snapshot.bfdProfiles.map(({ metadata }) => metadata.name))
  const secrets = new Set(snapshot.secrets.map(({ metadata }) => metadata.name))
  const missing = new Map<string, Problem>()
  const refer = (kind: string, name: string | undefined, known: ReadonlySet<string>): void => {
    if (name && !known.has(name)) missing.set(`${kind} ${name}`, assume(kind, name))
  }
  for (const { spec } of snapshot.bgpPeers) {
    refer('BFDProfile', spec.bfdProfile, profiles)
    refer('Secret', spec.passwordSecret?.name, secrets)
  }
  // Any name of a community may be defined in an object that is still to come.
  const problems = [...snapshot.problems, ...missing.values(), assume('Community', '')]
  return parseConfig({ ...snapshot, problems })
}
