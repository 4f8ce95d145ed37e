// Builds the addon with nothing but a C++ compiler: the Node-API headers come from the node-api-headers package, the
// few declarations of libuv are our own. Does nothing when what is built is up to date.
//
//   node scripts/build-native.mjs             build into build/; exit 1 when that is not possible
//   node scripts/build-native.mjs --install   as npm's install step: a fitting prebuild is enough, and what is missing
//                                             is said but is no failure (opening a socket then says it again)
//   node scripts/build-native.mjs --prebuild  build into prebuilds/<platform>-<arch>/, for publishing
//   node scripts/build-native.mjs --addon FOLDER OUTPUT  build another addon the same way

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** The folder that holds node_api.h. */
function headers() {
  const require = createRequire(import.meta.url)
  const candidates = []
  try {
    candidates.push(require('node-api-headers').include_dir)
  } catch {
    // Not installed: Node's own headers do as well.
  }
  candidates.push(join(dirname(process.execPath), '..', 'include', 'node'), '/usr/include/node')
  const found = candidates.find(folder => existsSync(join(folder, 'node_api.h')))
  if (!found)
    throw new Error(`node_api.h is missing (looked in ${candidates.join(', ')}): install node-api-headers`)
  return found
}

function compilerVersion(compiler) {
  try {
    return execFileSync(compiler, ['-dumpfullversion', '-dumpmachine'], { encoding: 'utf8' })
  } catch {
    throw new Error(`the C++ compiler "${compiler}" is missing: install g++, or name another one in CXX`)
  }
}

/**
 * Compiles the sources of `folder` into the addon `output`, unless it was made from the very same sources, headers,
 * compiler and flags. Another process may build or load the same file meanwhile. Gives true when it compiled.
 */
function buildAddon(folder, output) {
  const compiler = process.env.CXX ?? 'g++'
  const include = headers()
  const files = readdirSync(folder).sort()
  const sources = files.filter(file => file.endsWith('.cc')).map(file => join(folder, file))
  const flags = [
    '-std=c++17',
    '-O2',
    '-fPIC',
    '-shared',
    '-Wall',
    '-Wextra',
    '-fno-exceptions',
    '-fno-rtti',
    '-s',
  ]
  const hash = createHash('sha256')
  hash.update(JSON.stringify([compiler, compilerVersion(compiler), flags, process.arch]))
  for (const file of files) hash.update(readFileSync(join(folder, file)))
  for (const file of ['node_api.h', 'js_native_api.h']) hash.update(readFileSync(join(include, file)))
  const digest = hash.digest('hex')
  const stamp = `${output}.sha256`
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return false

  mkdirSync(dirname(output), { recursive: true })
  const temporary = `${output}.${process.pid}.tmp`
  try {
    execFileSync(compiler, [...flags, `-I${include}`, ...sources, '-o', temporary], { stdio: 'inherit' })
    rmSync(stamp, { force: true })
    renameSync(temporary, output)
    writeFileSync(stamp, digest)
  } finally {
    rmSync(temporary, { force: true })
  }
  return true
}

/** Whether a prebuilt addon for this machine loads. */
function prebuilt() {
  const folder = join(root, 'prebuilds', `${process.platform}-${process.arch}`)
  if (!existsSync(folder)) return false
  const require = createRequire(import.meta.url)
  return readdirSync(folder)
    .filter(file => file.endsWith('.node'))
    .some(file => {
      try {
        require(join(folder, file))
        return true
      } catch {
        return false
      }
    })
}

function main(options) {
  if (options[0] === '--addon') {
    buildAddon(options[1], options[2])
    return
  }
  const installing = options.includes('--install')
  try {
    if (process.platform !== 'linux')
      throw new Error(`there is nothing to build for ${process.platform}, only for Linux`)
    if (installing && prebuilt()) return
    const libc = process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl'
    const output = options.includes('--prebuild')
      ? join(root, 'prebuilds', `linux-${process.arch}`, `sockets.${libc}.node`)
      : join(root, 'build', 'sockets.node')
    if (buildAddon(join(root, 'native'), output)) process.stdout.write(`built ${output}\n`)
  } catch (error) {
    process.stderr.write(`@carillon/sockets: not built: ${error.message}\n`)
    if (!installing) process.exitCode = 1
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  main(process.argv.slice(2))
