import { InvalidArgumentError, Option } from 'commander'

/** Gathers the values of a flag that may be given several times. */
export const many = (value: string, previous: readonly string[] | undefined): readonly string[] => [
  ...(previous ?? []),
  value,
]

/** Reads a comma-separated list. */
export const names = (value: string): readonly string[] =>
  value
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')

/** Reads a whole number that may not be smaller. */
export const atLeast =
  (least: number) =>
  (value: string): number => {
    const number = Number(value)
    if (!Number.isInteger(number) || number < least)
      throw new InvalidArgumentError(`give a whole number from ${least} up.`)
    return number
  }

const manifestPath = '--manifests <path>'
const manifestWords = 'a manifest file, or a folder of them; may be given several times'

/** Where manifests are; has to be given. */
export const manifests = (): Option =>
  new Option(manifestPath, manifestWords).argParser(many).makeOptionMandatory()

/** Where manifests are, for what can do without. @param what what they are read for, in words that precede theirs */
export const manifestsIfAny = (what: string): Option =>
  new Option(manifestPath, `${what}${manifestWords}`).argParser(many)

/** `--json` */
export const json = (): Option => new Option('--json', 'print JSON for programs').default(false)

/** Which nodes are alive, for what is computed from manifests. */
export const alive = (): Option =>
  new Option('--alive <names>', 'comma-separated nodes that are alive (default: every Node)').argParser(names)

/** The rules of `carillon run`, for what is computed from manifests. */
export const standalone = (): Option =>
  new Option(
    '--standalone',
    'by the rules of "carillon run": no Kubernetes fills in cluster IPs and EndpointSlices',
  ).default(false)

/** Which class of Services is served. */
export const lbClass = (): Option =>
  new Option('--lb-class <class>', 'serve Services of this loadBalancerClass')

/** Whether nodes speak that are labelled not to. */
export const ignoreExcludeLb = (): Option =>
  new Option('--ignore-exclude-lb', 'announce also from nodes that are labelled to be excluded').default(
    false,
  )
