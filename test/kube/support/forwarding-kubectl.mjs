#!/usr/bin/env node
// Stands in for kubectl where the API server for tests cannot: it forwards a port to POD_ADDRESS, whichever one is asked for.
import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { argv, env, exit, stderr, stdout } from 'node:process'

const args = argv.slice(2)
if (args.includes('port-forward')) {
  const wanted = args.at(-1)
  if (wanted !== ':7472') {
    stderr.write(`forwarding ${wanted} was not expected\n`)
    exit(1)
  }
  const [host, port] = env.POD_ADDRESS.split(':')
  const server = createServer(socket => {
    const pod = connect(Number(port), host)
    socket.pipe(pod).pipe(socket)
    for (const one of [socket, pod]) one.on('error', () => {})
  })
  server.listen(0, '127.0.0.1', () =>
    stdout.write(`Forwarding from 127.0.0.1:${server.address().port} -> 7472\n`),
  )
} else {
  const child = spawn(env.REAL_KUBECTL, args, { stdio: 'inherit' })
  child.on('exit', code => exit(code ?? 1))
}
