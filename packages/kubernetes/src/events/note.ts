import type { Service } from '@carillon/core'

/** The object that an event is about. */
export interface EventSubject {
  readonly apiVersion: string
  readonly kind: string
  /** Absent for objects that live in no namespace. */
  readonly namespace?: string
  readonly name: string
  readonly uid?: string
}

/** Something worth telling of an object. */
export interface EventNote {
  readonly about: EventSubject
  readonly type: 'Normal' | 'Warning'
  /** One of `eventReasons`, or a word of one's own. */
  readonly reason: string
  readonly message: string
}

/** A Service as the subject of events. */
export const aboutService = ({ metadata: { namespace, name, uid } }: Service): EventSubject => ({
  apiVersion: 'v1',
  kind: 'Service',
  namespace,
  name,
  ...(uid === undefined ? {} : { uid }),
})
