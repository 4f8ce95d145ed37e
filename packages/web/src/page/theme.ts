/** How the page looks: as the system does, light, or dark. */
export type Theme = 'system' | 'light' | 'dark'

const themes: readonly Theme[] = ['system', 'light', 'dark']

const name = 'carillon-theme'

/** What was chosen last, where the browser remembers it. */
export function rememberedTheme(): Theme {
  try {
    return themes.find(theme => theme === localStorage.getItem(name)) ?? 'system'
  } catch {
    return 'system'
  }
}

/** Has the page look like that, and remembers it. */
export function applyTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme
  try {
    localStorage.setItem(name, theme)
  } catch {
    // A browser that remembers nothing shows it all the same.
  }
}

/** The one after that. */
export const nextTheme = (theme: Theme): Theme =>
  themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system'
