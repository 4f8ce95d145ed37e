import { runProgram } from '../run-program.ts'
import { plugin } from './plugin.ts'

await runProgram(plugin)
