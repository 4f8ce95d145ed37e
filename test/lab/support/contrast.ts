/// <reference lib="dom.iterable" />
/// <reference lib="dom" />
import type { Page } from 'playwright-core'

/** Text on the page, and how well it stands out: the ratio of WCAG 2, from 1 to 21. */
export interface Contrast {
  readonly text: string
  readonly ratio: number
}

/** The contrast of every piece of text that is in sight, with the colour of the nearest element behind it that has one. */
export function contrasts(page: Page): Promise<readonly Contrast[]> {
  return page.evaluate(() => {
    type Colour = readonly [red: number, green: number, blue: number, alpha: number]
    const colourOf = (text: string): Colour => {
      const [red = 0, green = 0, blue = 0, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number)
      return [red, green, blue, alpha]
    }
    const channel = (value: number): number =>
      value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4
    const luminance = ([red, green, blue]: Colour): number =>
      0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue)
    const behind = (element: Element): Colour => {
      for (let one: Element | null = element; one; one = one.parentElement) {
        const colour = colourOf(getComputedStyle(one).backgroundColor)
        if (colour[3] === 1) return colour
      }
      return [255, 255, 255, 1]
    }
    const found: { text: string; ratio: number }[] = []
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.textContent?.trim() ?? ''
      const element = node.parentElement
      if (text === '' || !element || element.closest('noscript, .unseen')) continue
      const [a, b] = [luminance(colourOf(getComputedStyle(element).color)), luminance(behind(element))]
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
      found.push({ text, ratio: Number(ratio.toFixed(2)) })
    }
    return found
  })
}
