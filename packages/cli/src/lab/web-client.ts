import { request } from 'node:http'

// A process of its own inside a lab host: `web-client.js ADDRESS PORT EVERY_MS` asks again and again, on a new connection each time,
// and prints a JSON line for every answer: when it came (milliseconds), and which node gave it.
const [host = '', port = '80', every = '10'] = process.argv.slice(2)

setInterval(() => {
  const asked = request({ host, port: Number(port), agent: false, timeout: 300 }, response => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => {
      text += chunk
    })
    response.on('end', () =>
      process.stdout.write(`${JSON.stringify({ at: performance.now(), node: text.trim() })}\n`),
    )
  })
  asked.on('timeout', () => asked.destroy())
  // What cannot be reached gives no line; that is the measurement.
  asked.on('error', () => {})
  asked.end()
}, Number(every))
