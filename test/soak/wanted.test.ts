import { collect, ManifestReader, parseConfig } from '@carillon/core'
import { expect, it } from 'vitest'
import { broken, edited, half, manifestsOf, routesOf, usual } from './wanted.ts'

const nodes = ['node-a', 'node-b', 'node-c', 'node-d', 'node-e']
const choices = [0, 1, 2, 3, 4, 5]
const text = manifestsOf(usual(nodes), nodes)

// It remembers what it has read, as in a speaker, so that each edit costs what it changes.
const reader = new ManifestReader()

/** What is wrong with manifests. */
function errors(manifests: string): readonly string[] {
  const documents = reader.read([{ path: 'cluster.yaml', text: manifests }])
  const snapshot = collect(
    documents.flatMap(({ resources }) => resources),
    documents.flatMap(({ problems }) => problems),
  )
  return [...snapshot.problems, ...parseConfig(snapshot).problems]
    .filter(({ severity }) => severity === 'error')
    .map(({ message }) => message)
}

it('A soak run asks for a thousand addresses, and every edit of it is valid and asks for something else', {
  timeout: 120_000,
}, () => {
  const { lan, routed, someRouted } = usual(nodes)
  expect(new Set([...lan, ...routed, ...someRouted]).size).toBe(1000)
  expect(errors(text)).toEqual([])
  for (const choice of choices) {
    const other = manifestsOf(edited(usual(nodes), nodes, choice), nodes)
    expect(errors(other), `edit ${choice}`).toEqual([])
    expect(other).not.toBe(text)
  }
})

it('Every broken edit of it is refused', { timeout: 120_000 }, () => {
  for (const choice of choices) {
    expect(errors(broken(text, choice)), `broken ${choice}`).not.toEqual([])
    expect(errors(half(text, choice)), `half ${choice}`).not.toEqual([])
  }
})

it('Only some nodes tell the router of some routes', () => {
  const wanted = usual(nodes)
  expect(nodes.map(node => routesOf(wanted, node).length)).toEqual([250, 250, 250, 125, 125])
})
