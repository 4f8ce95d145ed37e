/** Whether one version of an object is as new as another, or newer. Kubernetes gives them out as whole numbers that grow. */
export const asNewAs = (version: string, other: string): boolean =>
  version.length === other.length ? version >= other : version.length > other.length
