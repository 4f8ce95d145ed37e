import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Where pictures of the page are kept for people; git does not look there. */
const output = fileURLToPath(new URL('../../output/page', import.meta.url))

/** A real browser, and what went wrong in it. */
export class LabBrowser implements AsyncDisposable {
  /** What its pages complained of: errors, and breaches of the Content-Security-Policy. */
  readonly complaints: string[] = []
  /** Origins that its pages asked. */
  readonly origins: Set<string> = new Set()
  readonly #browser: Browser
  readonly #folder: string

  private constructor(browser: Browser, folder: string) {
    this.#browser = browser
    this.#folder = folder
  }

  /** @param namespace the network namespace it runs in; absent: that of this process */
  static async start(namespace?: string): Promise<LabBrowser> {
    const folder = await mkdtemp(join(tmpdir(), 'carillon-browser-'))
    const program = join(folder, 'chromium')
    const enter = namespace === undefined ? '' : `ip netns exec ${namespace} `
    await writeFile(program, `#!/bin/sh\nexec ${enter}/usr/bin/chromium "$@"\n`)
    await chmod(program, 0o755)
    return new LabBrowser(await chromium.launch({ executablePath: program, args: flags }), folder)
  }

  /** Opens a page, and waits until it is live. */
  async open(url: string, options: { readonly dark?: boolean } = {}): Promise<Page> {
    const page = await this.#browser.newPage({
      viewport: { width: 1440, height: 900 },
      colorScheme: options.dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
    })
    page.setDefaultTimeout(20_000)
    page.on('pageerror', error => this.complaints.push(error.message))
    page.on('console', message => {
      // That a server is away is what some stories are about.
      const text = message.text()
      if (message.type() === 'error' && !text.includes('net::ERR_')) this.complaints.push(text)
    })
    page.on('request', request => this.origins.add(new URL(request.url()).origin))
    await page.goto(url)
    await page.locator('.connection.live').waitFor()
    return page
  }

  /** Keeps a picture of what a person sees now. */
  async keep(page: Page, name: string): Promise<void> {
    await mkdir(output, { recursive: true })
    await page.screenshot({ path: join(output, `${name}.png`) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
    await rm(this.#folder, { recursive: true, force: true })
  }
}
