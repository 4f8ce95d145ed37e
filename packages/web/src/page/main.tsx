import { render } from 'preact'
import { App } from './app.tsx'
import { follow } from './follow.ts'
import { Store } from './store.ts'
import { Succession } from './succession.ts'
import { applyTheme, rememberedTheme } from './theme.ts'

const store = new Store()
const succession = new Succession(() => store.touch())
const place = document.getElementById('page')
if (place) {
  applyTheme(rememberedTheme())
  render(<App store={store} succession={succession} />, place)
  follow(store)
}
