#!/usr/bin/env node
// Stands in for kubectl where the API server for tests cannot: it forwards a port to POD_ADDRESS, whichever one is asked for. Its process
// id goes into the file FORWARDERS, a line each; SIGUSR2 breaks the connections and lets it go on.
import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import process, { argv, env, exit, pid, stderr, stdout } from 'node:process'

const args = argv.slice(2)
if (args.includes('port-forward')) {
  const wanted = args.at(-1)
  if (wanted !== ':7472') {
    stderr.write(`forwarding ${wanted} was not expected\n`)
    exit(1)
  }
  const [host, port] = env.POD_ADDRESS.split(':')
  const sockets = new Set()
  const server = createServer(socket => {
    const pod = connect(Number(port), host)
    sockets.add(socket)
    socket.pipe(pod).pipe(socket)
    for (const one of [socket, pod]) one.on('error', () => {})
  })
  process.on('SIGUSR2', () => {
    for (const socket of sockets) socket.destroy()
  })
  server.listen(0, '127.0.0.1', () => {
    appendFileSync(env.FORWARDERS, `${pid}\n`)
    stdout.write(`Forwarding from 127.0.0.1:${server.address().port} -> 7472\n`)
  })
} else {
  const child = spawn(env.REAL_KUBECTL, args, { stdio: 'inherit' })
  child.on('exit', code => exit(code ?? 1))
}
