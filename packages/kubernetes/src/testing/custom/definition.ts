import type { KubeObject } from '../api/object.ts'
import type { Schema } from '../schema/schema.ts'

/** Where a webhook is. */
export interface ClientConfig {
  readonly url?: string
  readonly service?: {
    readonly namespace: string
    readonly name: string
    readonly path?: string
    readonly port?: number
  }
  readonly caBundle?: string
}

/** One version of a custom resource. */
export interface DefinedVersion {
  readonly name: string
  readonly served: boolean
  readonly storage: boolean
  readonly deprecated?: boolean
  readonly deprecationWarning?: string
  readonly schema?: { readonly openAPIV3Schema?: Schema }
  readonly subresources?: { readonly status?: unknown; readonly scale?: unknown }
  readonly additionalPrinterColumns?: readonly DefinedColumn[]
  readonly selectableFields?: readonly { readonly jsonPath: string }[]
}

/** One printed column of a custom resource. */
export interface DefinedColumn {
  readonly name: string
  readonly type: string
  readonly format?: string
  readonly description?: string
  readonly priority?: number
  readonly jsonPath: string
}

/** What a custom resource is called. */
export interface DefinedNames {
  readonly plural: string
  readonly singular?: string
  readonly kind: string
  readonly listKind?: string
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
}

/** A CustomResourceDefinition. */
export interface Definition extends KubeObject {
  spec: {
    readonly group: string
    readonly names: DefinedNames
    readonly scope: 'Namespaced' | 'Cluster'
    readonly versions: readonly DefinedVersion[]
    readonly conversion?: {
      readonly strategy: 'None' | 'Webhook'
      readonly webhook?: {
        readonly clientConfig?: ClientConfig
        readonly conversionReviewVersions: readonly string[]
      }
    }
    readonly preserveUnknownFields?: boolean
  }
}
