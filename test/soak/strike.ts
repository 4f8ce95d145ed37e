import type { Fault, NodeFault, SharedFault } from './fault.ts'
import { pause } from './pause.ts'
import type { SoakLab } from './soak-lab.ts'
import type { SoakNode } from './soak-node.ts'
import { broken, edited, half, manifestsOf } from './wanted.ts'

/** Ends a fault. */
type Undo = () => Promise<void>

/** Seconds that a speaker may take from its start until it answers questions. */
const startSeconds = 60

/** Of a speaker that was ended: starts it again, and waits until it answers. */
const restart = (lab: SoakLab, node: SoakNode): Undo => {
  lab.away.set(node.name, 'ended')
  return async () => {
    lab.start(node)
    await node.ready(startSeconds)
    lab.away.delete(node.name)
  }
}

const back = (lab: SoakLab, node: SoakNode, why: string, undo: Undo): Undo => {
  lab.away.set(node.name, why)
  return async () => {
    await undo()
    lab.away.delete(node.name)
  }
}

const link = (lab: SoakLab, node: SoakNode, state: 'up' | 'down'): Promise<string> =>
  lab.net.ipIn(node.name, 'link', 'set', 'eth0', state)

const onNode: Readonly<Record<NodeFault, (lab: SoakLab, node: SoakNode, ms: number) => Promise<Undo>>> = {
  async kill(lab, node) {
    const undo = restart(lab, node)
    await node.end('SIGKILL')
    return undo
  },
  async stop(lab, node) {
    const undo = restart(lab, node)
    await node.end('SIGTERM')
    return undo
  },
  async freeze(lab, node) {
    node.signal('SIGSTOP')
    return back(lab, node, 'frozen', async () => node.signal('SIGCONT'))
  },
  async cut(lab, node) {
    await lab.net.cut(lab.port(node.name), true)
    return back(lab, node, 'cut off', () => lab.net.cut(lab.port(node.name), false))
  },
  async unplug(lab, node) {
    const { bridge, port } = lab.port(node.name)
    await lab.net.ipIn(bridge, 'link', 'set', port, 'down')
    return back(lab, node, 'without carrier', async () => {
      await lab.net.ipIn(bridge, 'link', 'set', port, 'up')
    })
  },
  async flap(lab, node, ms) {
    const flaps = 4
    for (let i = 0; i < flaps; i++) {
      await link(lab, node, 'down')
      await pause(ms / flaps / 2)
      await link(lab, node, 'up')
      await pause(ms / flaps / 2)
    }
    return async () => {}
  },
  async clockStep(_lab, node, ms) {
    node.stepClock(ms % 2 === 0 ? 86_400 : -86_400)
    return async () => node.stepClock(0)
  },
  async descriptors(lab, node, ms) {
    node.excused = line => /EMFILE|too many open files/i.test(line)
    await node.limitFiles(3)
    lab.crowd(node, ms / 1000)
    return () => node.limitFiles(undefined)
  },
}

const onAll: Readonly<Record<SharedFault, (lab: SoakLab, choice: number) => Promise<Undo>>> = {
  async edit(lab, choice) {
    const before = lab.wanted
    const names = [...lab.nodes.keys()]
    lab.wanted = edited(before, names, choice)
    await lab.edit(manifestsOf(lab.wanted, names))
    return async () => {
      lab.wanted = before
      await lab.edit(manifestsOf(before, names))
    }
  },
  brokenEdit: (lab, choice) => refused(lab, text => lab.edit(broken(text, choice))),
  halfEdit: (lab, choice) => refused(lab, text => lab.edit(half(text, choice), false)),
  async router(lab) {
    await lab.router.kill()
    lab.away.set('router', 'ended')
    return async () => {
      await lab.router.start()
      lab.away.delete('router')
    }
  },
}

/** An edit that nobody is to believe. */
async function refused(lab: SoakLab, edit: (text: string) => Promise<void>): Promise<Undo> {
  const text = manifestsOf(lab.wanted, [...lab.nodes.keys()])
  for (const node of lab.nodes.values()) node.excused = line => line.includes('invalid configuration')
  await edit(text)
  return () => lab.edit(text)
}

/** Makes a fault happen; gives what ends it. */
export function strike(lab: SoakLab, fault: Fault): Promise<Undo> {
  return 'node' in fault
    ? onNode[fault.kind](lab, lab.node(fault.node), fault.ms)
    : onAll[fault.kind](lab, fault.choice)
}
