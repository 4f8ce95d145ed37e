// Who may import whom. Prints one line per breach; silent when there is none.
//
//   node scripts/check-imports.mjs [folder]   of this repository, or of one laid out like it
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import ts from 'typescript'
import { root as here, readJson } from './lib/project.mjs'

const root = resolve(process.argv[2] ?? here)
const at = (...parts) => join(root, ...parts)

/** The packages of this workspace that a package may import. */
const siblings = {
  core: [],
  gossip: ['core'],
  arp: ['core'],
  bgp: ['core'],
  sockets: ['core'],
  kubernetes: ['core'],
  web: ['core'],
  cli: ['core', 'gossip', 'arp', 'bgp', 'sockets', 'kubernetes', 'web'],
}
/** What is tested with values alone: these folders of core, its values beside them, and every wire/. */
const pureFolders = ['resources', 'config', 'allocation', 'ownership']
const pureFiles = ['address.ts', 'bytes.ts', 'errors.ts', 'machine.ts']
const pureNodeModules = ['node:buffer', 'node:crypto']
/** A wire/ folder takes nothing else from core. */
const wireFiles = ['address.ts', 'bytes.ts', 'errors.ts']

const breaches = []
const breach = (file, message) => breaches.push(`${relative(root, file)}: ${message}`)

const wireNames = new Set(wireFiles.flatMap(file => exportedNames(at('packages/core/src', file))))
const rootDevDependencies = Object.keys(readJson(at('package.json')).devDependencies)

for (const name of readdirSync(at('packages')).sort()) checkPackage(name)
for (const folder of ['bench', 'examples', 'test'])
  for (const file of sources(at(folder)))
    for (const found of imports(file)) checkOutside(file, at(folder), found)

for (const line of breaches) console.log(line)
process.exitCode = breaches.length > 0 ? 1 : 0

function checkPackage(name) {
  const folder = at('packages', name)
  const file = join(folder, 'package.json')
  if (!existsSync(file)) return
  const allowed = siblings[name]
  if (allowed === undefined)
    return breach(file, `the package ${name} is unknown to scripts/check-imports.mjs; add it there`)
  const json = readJson(file)
  const declared = Object.keys({
    ...json.dependencies,
    ...json.peerDependencies,
    ...json.optionalDependencies,
  })
  // What the build alone uses is not shipped, and may use what only developers install.
  const unshipped = (json.files ?? [])
    .filter(one => one.startsWith('!dist/'))
    .map(one => one.slice('!dist/'.length))
  const forBuild = [...declared, ...Object.keys(json.devDependencies ?? {})]
  for (const dependency of declared) {
    const sibling = /^@carillon\/(.+)$/.exec(dependency)?.[1]
    if (sibling !== undefined && !allowed.includes(sibling))
      breach(file, `${name} may not depend on ${dependency}`)
  }
  checkReferences(folder, declared)
  const used = new Set()
  for (const source of sources(join(folder, 'src')))
    for (const found of imports(source)) {
      used.add(packageOf(found.from))
      const path = relative(join(folder, 'src'), source).split(sep).join('/')
      const built = unshipped.some(one => path.startsWith(`${one}/`))
      checkImport(name, folder, source, found, built ? forBuild : declared)
    }
  for (const dependency of declared)
    if (dependency.startsWith('@carillon/') && !used.has(dependency))
      breach(file, `${dependency} is declared but not imported`)
}

/** TypeScript's project references follow the dependencies. */
function checkReferences(folder, declared) {
  const file = join(folder, 'tsconfig.json')
  const { references = [] } = readJson(file)
  const referenced = references.map(({ path }) => `@carillon/${path.replace(/^\.\.\//, '')}`)
  const siblingsDeclared = declared.filter(dependency => dependency.startsWith('@carillon/'))
  for (const one of siblingsDeclared)
    if (!referenced.includes(one)) breach(file, `a reference to ${one} is missing`)
  for (const one of referenced)
    if (!siblingsDeclared.includes(one)) breach(file, `${one} is referenced but not a dependency`)
}

function checkImport(name, folder, file, { from, typeOnly, names }, declared) {
  const inside = relative(join(folder, 'src'), file).split(sep)
  const isTest = file.endsWith('.test.ts')
  const wireRoot = inside.includes('wire')
    ? join(folder, 'src', ...inside.slice(0, inside.indexOf('wire') + 1))
    : undefined

  if (from.startsWith('.')) {
    const target = join(dirname(file), from)
    if (!within(join(folder, 'src'), target) && !/\.(json|node)$/.test(from))
      breach(file, `${from} leaves the package; import it by its name`)
    else if (wireRoot !== undefined && !isTest && !within(wireRoot, target)) {
      const inCore = name === 'core' && wireFiles.includes(relative(join(folder, 'src'), target))
      if (!inCore) breach(file, `${from} lies outside of wire/, which knows bytes, addresses and errors only`)
    }
    return
  }
  if (from.startsWith('node:')) {
    const pure =
      wireRoot !== undefined ||
      (name === 'core' && (pureFolders.includes(inside[0]) || pureFiles.includes(inside.join('/'))))
    if (pure && !isTest && !typeOnly && !pureNodeModules.includes(from))
      breach(file, `pure code may not import ${from}`)
    return
  }
  const dependency = packageOf(from)
  if (dependency === `@carillon/${name}` && isTest) return
  if (dependency.startsWith('@carillon/')) {
    const sibling = dependency.slice('@carillon/'.length)
    if (!(siblings[name] ?? []).includes(sibling)) return breach(file, `${name} may not import ${dependency}`)
    if (from.endsWith('/testing') && !isTest && inside[0] !== 'testing') breach(file, `${from} is for tests`)
    if (wireRoot !== undefined && !isTest && from === '@carillon/core')
      for (const one of names.filter(one => !wireNames.has(one)))
        breach(file, `wire/ may not import ${one} from core; only what ${wireFiles.join(', ')} export`)
  } else if (wireRoot !== undefined && !isTest) breach(file, `wire/ may not import ${from}`)
  if (!declared.includes(dependency) && !(isTest && rootDevDependencies.includes(dependency)))
    breach(file, `${dependency} is not among the dependencies in packages/${name}/package.json`)
}

/** Tests, benchmarks and examples see the packages as users do. */
function checkOutside(file, folder, { from }) {
  // Parsers are fuzzed also where no package offers them to others.
  if (within(at('test/fuzz/parsers'), file) && within(at('packages'), join(dirname(file), from))) return
  if (from.startsWith('.') && !within(folder, join(dirname(file), from)))
    breach(file, `${from} leaves ${relative(root, folder)}/; import packages by their names`)
}

function within(folder, path) {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`)
}

function packageOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function sources(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .sort()
}

function parse(file) {
  return ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest)
}

/** Every import and re-export: where from, what (`*` for all of it), and whether only types. */
function imports(file) {
  const found = []
  const visit = node => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier !== undefined
    ) {
      const clause = ts.isImportDeclaration(node) ? node.importClause : node
      const bindings = ts.isImportDeclaration(node) ? clause?.namedBindings : node.exportClause
      const elements = bindings?.elements
      const typeOnly =
        clause?.isTypeOnly === true || (elements?.length > 0 && elements.every(one => one.isTypeOnly))
      const names = elements?.map(one => (one.propertyName ?? one.name).text) ?? ['*']
      found.push({ from: node.moduleSpecifier.text, typeOnly, names })
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      found.push({ from: node.argument.literal.text, typeOnly: true, names: ['*'] })
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments
      if (specifier !== undefined && ts.isStringLiteral(specifier))
        found.push({ from: specifier.text, typeOnly: false, names: ['*'] })
    }
    ts.forEachChild(node, visit)
  }
  visit(parse(file))
  return found
}

function exportedNames(file) {
  return parse(file).statements.flatMap(statement => {
    const exported = statement.modifiers?.some(one => one.kind === ts.SyntaxKind.ExportKeyword)
    if (exported !== true) return []
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.map(one => one.name.text)
    return statement.name === undefined ? [] : [statement.name.text]
  })
}
