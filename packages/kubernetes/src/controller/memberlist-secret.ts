import { randomBytes } from 'node:crypto'
import { CarillonError } from '@carillon/core'
import { type Client, type OwnerReference, resourceTypes } from '../client/index.ts'

/** Where the secret of the gossip is kept. */
export interface MemberlistSecretOptions {
  readonly client: Client
  readonly namespace: string
  readonly name: string
  /** Goes along with this, the Deployment of the controller as a rule. */
  readonly owner?: OwnerReference
}

/**
 * Makes the Secret that the speakers derive the key of their gossip from, unless there is one: 128 random bits as 22 characters of base64
 * under the key `secretkey`, as MetalLB's controller does. Says whether it made one.
 */
export async function ensureMemberlistSecret(options: MemberlistSecretOptions): Promise<boolean> {
  const { client, namespace, name, owner } = options
  try {
    await client.get(resourceTypes.secrets, { namespace, name })
    return false
  } catch (error) {
    if (!(error instanceof CarillonError) || error.code !== 'API_NOT_FOUND') throw error
  }
  const secret = randomBytes(16).toString('base64').replace(/=+$/, '')
  try {
    await client.create(resourceTypes.secrets, {
      metadata: { namespace, name, ...(owner ? { ownerReferences: [owner] } : {}) },
      data: { secretkey: Buffer.from(secret).toString('base64') },
    })
    return true
  } catch (error) {
    // Another controller was faster, and its secret is as good.
    if (error instanceof CarillonError && error.code === 'API_EXISTS') return false
    throw error
  }
}
