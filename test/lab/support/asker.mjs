// Runs inside a lab host for as long as the lab does: each line on standard input is the path of a question to the speaker there, each
// line of standard output its answer. Starting the program for every question would take most of a lab's time.
import { get } from 'node:http'
import { createInterface } from 'node:readline'

const ask = path =>
  new Promise(resolve => {
    const request = get({ host: '127.0.0.1', port: 7472, path, agent: false, timeout: 5000 }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve({ code: response.statusCode, text }))
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve({ code: 0, text: '' }))
  })

for await (const path of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(await ask(path))}\n`)
