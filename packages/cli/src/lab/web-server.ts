import { createServer } from 'node:http'

// A process of its own inside a lab host: `web-server.js NODE PORT` answers every request with the name of its node.
const [node = '', port = '80'] = process.argv.slice(2)

createServer((_request, response) => {
  response.setHeader('connection', 'close')
  response.end(`${node}\n`)
}).listen(Number(port), '::', () => process.stdout.write('ready\n'))
