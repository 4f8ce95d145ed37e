import { connect } from 'node:net'

/** Gives a command to BIRD over its control socket; resolves with the lines that it printed, without their codes. */
export function birdControl(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    let text = ''
    let greeted = false
    socket.setTimeout(20_000, () => socket.destroy(new Error(`BIRD does not answer ${command}`)))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('BIRD has closed its control socket')))
    socket.on('data', chunk => {
      text += chunk.toString()
      if (!greeted) {
        if (!text.includes('\n')) return
        greeted = true
        text = ''
        socket.write(`${command}\n`)
        return
      }
      // An answer ends with a code of 0xxx, or 8xxx and 9xxx for errors, and a blank.
      const last = text.slice(text.lastIndexOf('\n', text.length - 2) + 1)
      if (!text.endsWith('\n') || !/^[089]\d{3} /.test(last)) return
      const lines = text.split('\n').map(line => line.replace(/^(\d{4}[- ]| )/, ''))
      if (/^[89]/.test(last)) reject(new Error(`BIRD: ${command}: ${lines.join('\n').trim()}`))
      else resolve(lines.join('\n'))
      socket.end()
    })
  })
}
