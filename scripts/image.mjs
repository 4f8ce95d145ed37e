// npm run image -- [--with docker|podman|buildah] [-- arguments of its build]: builds deploy/Dockerfile under the tag carillon:<version>, shows what
// came of it, and tries it, confined as the manifests say (as root alone).
import './lib/node-version.mjs'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from './lib/build.mjs'
import { at, readJson } from './lib/project.mjs'
import { main, run, Stop } from './lib/run.mjs'
import { setUp } from './lib/setup.mjs'
import { summed, vitest } from './lib/vitest.mjs'

const builders = ['docker', 'podman', 'buildah']

await main(async () => {
  const { wanted, extra } = parsed()
  const builder = await chosen(wanted)
  const tag = `carillon:${readJson(at('packages/cli/package.json')).version}`
  await must(builder, ['build', '--file', at('deploy/Dockerfile'), '--tag', tag, ...extra, at('.')])
  await setUp(['build', 'test'])
  await build()
  const folder = mkdtempSync(join(tmpdir(), 'carillon-image-'))
  try {
    const root = join(folder, 'root')
    mkdirSync(root)
    await unpack(builder, tag, folder, root)
    console.log(`\n${tag}, in MB:`)
    await must('du', ['--summarize', '--block-size=M', root])
    process.env.CARILLON_IMAGE_ROOT = root
    const words = ['--project', 'lab', 'test/lab/confined.test.ts']
    const { failed, skipped } = summed(await vitest(process.execPath, words))
    for (const { name, reason } of skipped) console.error(`Not run: ${name}: ${reason}`)
    return failed.length + skipped.length > 0 ? 1 : 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

function parsed() {
  try {
    const { values, positionals } = parseArgs({
      options: { with: { type: 'string' } },
      allowPositionals: true,
    })
    return { wanted: values.with, extra: positionals }
  } catch (error) {
    throw new Stop(error.message, 2)
  }
}

/** Runs a program; its failure ends the script. Gives what it printed, with `capture`. */
async function must(command, args, options) {
  const { code, output } = await run(command, args, options)
  if (code !== 0) throw new Stop(`${output}${command} ${args[0]} failed.`)
  return output.trim()
}

/** The program that was asked for, or the first that is there. */
async function chosen(wanted) {
  for (const name of wanted === undefined ? builders : [wanted])
    if ((await run(name, ['--version'], { capture: true })).code === 0) return name
  throw new Stop(`An image is built with ${builders.join(', ')}: ${wanted ?? 'none of them'} is not here.`)
}

/** Puts the files of an image into `root`. */
async function unpack(builder, tag, folder, root) {
  const capture = { capture: true }
  if (builder === 'buildah') {
    const id = await must(builder, ['from', '--pull-never', tag], capture)
    await must('cp', ['--archive', `${await must(builder, ['mount', id], capture)}/.`, root])
    await must(builder, ['rm', id], capture)
  } else {
    const id = await must(builder, ['create', tag], capture)
    await must(builder, ['export', '--output', join(folder, 'root.tar'), id])
    await must(builder, ['rm', id], capture)
    await must('tar', ['--extract', '--directory', root, '--file', join(folder, 'root.tar')])
  }
}
