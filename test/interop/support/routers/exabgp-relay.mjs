// A process that ExaBGP starts: it passes ExaBGP's messages to a socket, and commands from there to ExaBGP.
import { connect } from 'node:net'
import process from 'node:process'

const socket = connect(process.argv[2] ?? '')
const end = () => process.exit(0)
socket.once('error', end)
socket.once('close', end)
process.stdin.once('end', end)
process.stdin.pipe(socket)
socket.pipe(process.stdout)
