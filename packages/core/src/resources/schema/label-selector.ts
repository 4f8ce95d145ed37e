import * as z from 'zod'
import { list, text, textMap } from './field.ts'

/** One condition on a label, as Kubernetes writes it. */
export const labelSelectorRequirement = z
  .object({
    key: text('Label that the condition looks at.'),
    operator: text('In, NotIn, Exists or DoesNotExist.'),
    values: list(z.string(), 'Values for In and NotIn; empty for the other operators.')
      .meta({ 'x-kubernetes-list-type': 'atomic' })
      .optional(),
  })
  .meta({ description: 'One condition on a label.' })

/** A Kubernetes LabelSelector. */
export const labelSelector = z
  .object({
    matchLabels: textMap('Labels and the values they must have.').optional(),
    matchExpressions: list(labelSelectorRequirement, 'Conditions that must all hold.')
      .meta({ 'x-kubernetes-list-type': 'atomic' })
      .optional(),
  })
  .meta({
    description:
      'Selects objects by label. Everything in it must hold; an empty selector selects everything.',
    'x-kubernetes-map-type': 'atomic',
  })

/** A list of selectors: an object is selected when one of them selects it. */
export function selectors(description: string): z.ZodArray<typeof labelSelector> {
  return list(labelSelector, description)
}
