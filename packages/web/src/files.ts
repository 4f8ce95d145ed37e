import { readFile } from 'node:fs/promises'

/** A file of the page. */
export interface PageFile {
  /** Content type. */
  readonly type: string
  readonly body: Uint8Array
}

const types = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const

/** A name of a file of the page. */
export type PageFileName = keyof typeof types

/** All files of the page; `index.html` names the others, relative to itself. */
export const pageFileNames: readonly PageFileName[] = Object.keys(types) as PageFileName[]

/**
 * What a browser may do with the page: load its own files from where it came from, and ask there. No inline script or style, no other
 * host, no frame around it.
 */
export const contentSecurityPolicy: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Reads a file of the page. Rejects where the page has not been built. */
export async function pageFile(name: PageFileName): Promise<PageFile> {
  return { type: types[name], body: await readFile(new URL(`../dist/bundle/${name}`, import.meta.url)) }
}
