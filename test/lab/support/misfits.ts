/// <reference lib="dom" />
import type { Page } from 'playwright-core'

/** What does not fit into the window as it is: what sticks out of it, what is cut off, and what a finger would miss (WCAG 2.5.8: 24 pixels). */
export function misfits(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const found: string[] = []
    const name = (element: Element): string =>
      `${element.localName}.${element.className} "${element.textContent?.trim().slice(0, 40)}"`
    const { scrollWidth } = document.scrollingElement ?? document.body
    if (scrollWidth > innerWidth) found.push(`the page is ${scrollWidth} pixels wide`)
    for (const element of document.querySelectorAll('#page *')) {
      const { width, height, left, right } = element.getBoundingClientRect()
      // What has no extent, or a pixel, is for screen readers.
      if (width <= 1 || height <= 1) continue
      if (left < -1 || right > innerWidth + 1) found.push(`${name(element)} sticks out`)
      const hides = getComputedStyle(element).overflowX === 'hidden'
      const { clientWidth, clientHeight, scrollHeight } = element
      const cut = element.scrollWidth > clientWidth + 1 || scrollHeight > clientHeight + 1
      // What takes more than two lines stands in full under what needs attention.
      if (hides && cut && element.matches('th, td, td :not(.two-lines)'))
        found.push(`${name(element)} is cut off`)
      if (element.matches('a, button, input') && (width < 24 || height < 24))
        found.push(`${name(element)} is ${width} by ${height}`)
    }
    return found
  })
}
