// Lets a plain Node process or worker run our TypeScript sources without a build, on Node 20 too:
// node --import ./typescript.mjs --conditions=@carillon/source program.ts
import { register } from 'node:module'

register('./typescript-loader.mjs', import.meta.url)
