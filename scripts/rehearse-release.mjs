// Rehearses a release: Lerna versions and publishes a clone of this repository to a registry that is this script itself, so that nothing
// leaves this machine, and what arrives there is checked. Needs a build, committed.
//
//   node scripts/rehearse-release.mjs
import './lib/node-version.mjs'
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { published } from './lib/pack.mjs'
import { at, manifest, readJson } from './lib/project.mjs'
import { main, run, Stop } from './lib/run.mjs'

const lerna = 'lerna@9.0.7'

await main(async () => {
  const clone = mkdtempSync(join(tmpdir(), 'carillon-release-'))
  const arrived = new Map()
  const server = createServer((request, response) => receive(request, response, arrived))
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const registry = `127.0.0.1:${server.address().port}`
  try {
    await prepare(clone)
    const before = published().map(({ name, version }) => ({ name, version }))
    await must(clone, registry, ['version', '--yes', '--no-git-tag-version', '--no-push'])
    const versions = before.map(({ name }) => readJson(packageJson(clone, name)).version)
    if (new Set(versions).size !== 1)
      throw new Stop(`The packages are to share one version: ${versions.join(', ')}`)
    const [version] = versions
    if (version === before[0].version) throw new Stop(`lerna version left ${version} as it was.`)
    for (const { name } of before)
      if (!existsSync(join(packageJson(clone, name), '..', 'CHANGELOG.md')))
        throw new Stop(`lerna version wrote no CHANGELOG.md for ${name}.`)
    console.log(
      `lerna version: ${before[0].version} -> ${version}, ${before.length} packages, changelogs written`,
    )

    await git(clone, ['commit', '--all', '--quiet', '--no-verify', '--message', `Release ${version}`])
    await must(clone, registry, [
      'publish',
      'from-package',
      '--yes',
      '--no-verify-access',
      '--registry',
      `http://${registry}/`,
    ])
    for (const { name } of before) check(name, version, arrived)
    console.log(
      `lerna publish: ${arrived.size} packages arrived, no workspace range among their dependencies`,
    )
  } finally {
    server.close()
    rmSync(clone, { recursive: true, force: true })
  }
})

function packageJson(clone, name) {
  return join(clone, 'packages', name.split('/')[1], 'package.json')
}

/** A clone with what the build made, and without what only a workflow of GitHub can do. */
async function prepare(clone) {
  await git(clone, ['clone', '--quiet', '--local', at(), clone])
  await git(clone, ['checkout', '--quiet', '-B', 'main'])
  await git(clone, ['config', 'user.name', 'rehearsal'])
  await git(clone, ['config', 'user.email', 'rehearsal@localhost'])
  symlinkSync(at('node_modules'), join(clone, 'node_modules'))
  for (const { folder } of published()) {
    const copy = join(clone, 'packages', basename(folder))
    cpSync(join(folder, 'dist'), join(copy, 'dist'), { recursive: true })
    symlinkSync(join(folder, 'node_modules'), join(copy, 'node_modules'))
    const json = readJson(join(copy, 'package.json'))
    json.publishConfig.provenance = false
    writeFileSync(join(copy, 'package.json'), `${JSON.stringify(json, null, 2)}\n`)
  }
  await git(clone, ['commit', '--all', '--quiet', '--no-verify', '--message', 'fix: a change to be released'])
}

/** A registry that knows nothing, and takes everything. */
function receive(request, response, arrived) {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    response.setHeader('content-type', 'application/json')
    if (request.method !== 'PUT') return response.writeHead(404).end('{"error":"not found"}')
    const body = JSON.parse(Buffer.concat(chunks).toString())
    arrived.set(body.name, body)
    response.writeHead(201).end('{"ok":true}')
  })
}

async function must(cwd, registry, words) {
  const env = { [`npm_config_//${registry}/:_authToken`]: 'rehearsal', CI: 'true', HUSKY: '0' }
  const { code, output } = await run('npx', ['--yes', manifest.packageManager, 'dlx', lerna, ...words], {
    cwd,
    env,
    capture: true,
  })
  if (code !== 0) throw new Stop(`lerna ${words.join(' ')} failed.\n${output}`)
}

async function git(cwd, words) {
  const { code, output } = await run('git', words, { cwd, capture: true })
  if (code !== 0) throw new Stop(`git ${words.join(' ')} failed.\n${output}`)
}

/** What arrived of a package is what a user can install. */
function check(name, version, arrived) {
  const body = arrived.get(name)
  if (!body) throw new Stop(`${name} was not published.`)
  const released = body.versions[version]
  if (!released)
    throw new Stop(`${name} was published as ${Object.keys(body.versions).join(', ')}, not ${version}.`)
  if (body['dist-tags'].latest !== version) throw new Stop(`${name} ${version} is not tagged latest.`)
  if (body.access !== 'public') throw new Stop(`${name} is published with the access ${body.access}.`)
  for (const [dependency, range] of Object.entries(released.dependencies ?? {}))
    if (!/^\^?\d/.test(range) || (dependency.startsWith('@carillon/') && range !== `^${version}`))
      throw new Stop(`${name} depends on ${dependency} ${range}.`)
  const [attachment] = Object.values(body._attachments)
  if (!(attachment?.length > 1000)) throw new Stop(`The tarball of ${name} is empty.`)
}
