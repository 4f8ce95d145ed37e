// Imported first by every script, for its effect: what follows needs a Node that is new enough.
const floor = [20, 19]
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < floor[0] || (major === floor[0] && minor < floor[1])) {
  console.error(
    `Carillon needs Node ${floor.join('.')} or newer; this is Node ${process.versions.node} (${process.execPath}).\n` +
      'Install a newer one (https://nodejs.org, or your version manager) and run the command again.',
  )
  process.exit(1)
}
