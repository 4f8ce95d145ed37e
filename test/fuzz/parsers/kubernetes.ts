import { emptySnapshot } from '@carillon/core'
import { FakeClock } from '@carillon/core/testing'
import { Client, judge, resourceTypes, type Transport } from '@carillon/kubernetes'
import { Shelf } from '../../../packages/kubernetes/src/source/shelf.ts'
import { watchedKinds } from '../../../packages/kubernetes/src/source/watched-kind.ts'
import { readAdmissionReview } from '../../../packages/kubernetes/src/webhook/admission-review.ts'
import {
  converted,
  readConversionReview,
} from '../../../packages/kubernetes/src/webhook/conversion-review.ts'
import { coded, kindsOf, type Parser, textOf, unpolluted } from '../parser.ts'

/** A server that says the same to whoever asks, in pieces. */
const saying = (bytes: Uint8Array): Transport => ({
  server: 'https://api.test',
  async send() {
    return {
      status: 200,
      headers: {},
      body: (async function* () {
        for (let at = 0; at < bytes.length; at += 100) yield bytes.subarray(at, at + 100)
      })(),
    }
  },
  renew() {},
  async [Symbol.asyncDispose]() {},
})

/** A watch, and what the source makes of its objects. */
async function watch(bytes: Uint8Array): Promise<string> {
  const client = new Client({ transport: saying(bytes), clock: new FakeClock() })
  const types: string[] = []
  const shelf = new Shelf(watchedKinds.services)
  const end = await coded(async () => {
    await client.watch(resourceTypes.services, {
      resourceVersion: '1',
      timeoutSeconds: 1,
      opened: () => {},
      events: events => {
        types.push(...events.map(({ type }) => type))
        shelf.apply(events)
      },
    })
    return 'the end'
  })
  shelf.items()
  shelf.problems()
  unpolluted()
  return `${kindsOf(types)} ${end}`
}

const list = (bytes: Uint8Array): Promise<string> =>
  coded(async () => {
    const client = new Client({ transport: saying(bytes), clock: new FakeClock() })
    const page = await client.list(resourceTypes.services)
    const shelf = new Shelf(watchedKinds.services)
    shelf.begin()
    shelf.stage(page.items)
    shelf.commit()
    unpolluted()
    return `${shelf.items().length > 0 ? 'some' : 'no'} items`
  })

function admission(bytes: Uint8Array): Promise<string> {
  return coded(() => {
    const { change } = readAdmissionReview(textOf(bytes), 'IPAddressPool')
    if (!change) return 'not ours'
    const { allowed, problems, warnings } = judge(change, emptySnapshot, 'carillon-system')
    unpolluted()
    const fields = kindsOf(problems.map(({ field }) => field.replace(/\d+/g, 'n'))).slice(0, 300)
    return `${change.operation} ${allowed} ${fields} ${warnings.length > 0}`
  })
}

function conversion(bytes: Uint8Array): Promise<string> {
  return coded(() => {
    const result = converted(readConversionReview(textOf(bytes)))
    unpolluted()
    return Object.keys(result).join()
  })
}

const words: readonly string[] = [
  '"__proto__"',
  '"constructor"',
  'null',
  '{}',
  '[]',
  '"ADDED"',
  '"ERROR"',
  '410',
  '\n',
]

/** What an API server says, and what it asks. */
export const kubernetesParsers: readonly Parser[] = [
  { name: 'kubernetes-watch', read: watch, words },
  { name: 'kubernetes-list', read: list, words },
  { name: 'admission-review', read: admission, words },
  { name: 'conversion-review', read: conversion, words },
]
