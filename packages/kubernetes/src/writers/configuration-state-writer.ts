import type { Clock, ConfigurationStateStatus, Problem } from '@carillon/core'
import { resourceTypes } from '../client/index.ts'
import { labelValue } from './labels.ts'
import { StatusObjects, type StatusObjectsOptions } from './status-objects.ts'
import type { WriterStatus } from './write-queue.ts'

/** Whose view of the configuration it is. */
export type Component = { readonly type: 'controller' } | { readonly type: 'speaker'; readonly node: string }

/** What a writer of a ConfigurationState needs. */
export interface ConfigurationStateOptions extends StatusObjectsOptions {
  readonly component: Component
}

/** Conditions by the names that MetalLB gives them. */
const conditionTypes = { controller: 'poolReconcilerValid', speaker: 'configReconcilerValid' } as const

/** Problems beyond this many are counted rather than listed; the API server allows 32 KiB in all. */
const maxListed = 50

const line = ({ kind, namespace, name, field, message }: Problem): string => {
  const object = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`.trim()
  return `${object}${field === '' ? '' : ` ${field}`}: ${message}`.slice(0, 500)
}

/** What is wrong, one line each; empty when nothing is. */
function summary(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error').map(line)
  const rest = errors.length - maxListed
  return [...errors.slice(0, maxListed), ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n')
}

const isStatus = (value: unknown): value is ConfigurationStateStatus =>
  typeof value === 'object' && value !== null

/** The status that follows from what was found, given the one before: a transition keeps its time until there is another. */
export function configurationStatus(
  component: Component,
  problems: readonly Problem[],
  present: unknown,
  now: Date,
): ConfigurationStateStatus {
  const message = summary(problems)
  const valid = message === ''
  const type = conditionTypes[component.type]
  const status = valid ? 'True' : 'False'
  const conditions = isStatus(present) && Array.isArray(present.conditions) ? present.conditions : []
  const before = conditions.find(condition => condition.type === type && condition.status === status)
  return {
    result: valid ? 'Valid' : 'Invalid',
    ...(valid ? {} : { errorSummary: message }),
    conditions: [
      {
        type,
        status,
        reason: valid ? 'Reconciled' : 'ConfigurationError',
        message: valid ? 'the configuration is valid and in force' : message,
        lastTransitionTime: before?.lastTransitionTime ?? now.toISOString().replace(/\.\d+Z$/, 'Z'),
      },
    ],
  }
}

/** Says what this controller or speaker makes of the configuration: the ConfigurationState `controller` or `speaker-<node>`. */
export class ConfigurationStateWriter implements AsyncDisposable {
  readonly #component: Component
  readonly #clock: Clock
  readonly #name: string
  readonly #objects: StatusObjects
  #said: string | undefined

  constructor(options: ConfigurationStateOptions) {
    const { component } = options
    this.#component = component
    this.#clock = options.clock
    this.#name = component.type === 'controller' ? 'controller' : `speaker-${component.node}`
    this.#objects = new StatusObjects(options, {
      type: resourceTypes.configurationStates,
      name: 'configuration-state',
      fieldSelector: `metadata.name=${this.#name}`,
      intervalMs: 1000,
    })
  }

  /** Says what is wrong with the configuration; warnings are not. */
  reconcile(problems: readonly Problem[]): void {
    const said = summary(problems)
    if (said === this.#said) return
    this.#said = said
    const { type } = this.#component
    const labels = {
      'metallb.io/component-type': type,
      ...(this.#component.type === 'speaker'
        ? { 'metallb.io/node-name': labelValue(this.#component.node) }
        : {}),
    }
    const status = (present: unknown): object =>
      configurationStatus(this.#component, problems, present, this.#clock.date())
    this.#objects.reconcile(new Map([[this.#name, { labels, status }]]))
  }

  status(): WriterStatus {
    return this.#objects.status()
  }

  /** Resolves when nothing is left to be written. */
  idle(): Promise<void> {
    return this.#objects.idle()
  }

  /** Writing is allowed again. What others have written meanwhile is looked at first. */
  resume(): void {
    this.#objects.resume()
  }

  /** Writing is not allowed any more: gives up what is under way, and forgets what was wanted. */
  hold(): void {
    this.#objects.hold()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#objects[Symbol.asyncDispose]()
  }
}
