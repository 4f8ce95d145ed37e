import { type Fault, type NodeFault, over, type SharedFault, type Undo } from './fault.ts'
import { pause } from './pause.ts'
import type { SoakLab } from './soak-lab.ts'
import type { SoakNode } from './soak-node.ts'
import { edited } from './wanted.ts'

/** Seconds that a speaker may take from its start until it answers questions. */
const startSeconds = 60

/** Of a speaker that was ended: starts it again, and waits until it answers. */
const restart = (lab: SoakLab, node: SoakNode): Undo => {
  lab.away.set(node.name, 'ended')
  return over(async () => {
    lab.start(node)
    await node.ready(startSeconds)
    lab.away.delete(node.name)
  })
}

const back = (lab: SoakLab, node: SoakNode, why: string, undo: () => Promise<unknown>): Undo => {
  lab.away.set(node.name, why)
  return over(async () => {
    await undo()
    lab.away.delete(node.name)
  })
}

const link = (lab: SoakLab, node: SoakNode, state: 'up' | 'down'): Promise<string> =>
  lab.net.ipIn(node.name, 'link', 'set', 'eth0', state)

const onNode: Readonly<Record<NodeFault, (lab: SoakLab, node: SoakNode, ms: number) => Promise<Undo>>> = {
  async kill(lab, node) {
    const undo = restart(lab, node)
    await node.process.end('SIGKILL')
    return undo
  },
  async stop(lab, node) {
    const undo = restart(lab, node)
    await node.process.end('SIGTERM')
    return undo
  },
  async freeze(lab, node) {
    node.process.signal('SIGSTOP')
    return back(lab, node, 'frozen', async () => node.process.signal('SIGCONT'))
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
    return over()
  },
  async clockStep(_lab, node, ms) {
    node.process.stepClock(ms % 2 === 0 ? 86_400 : -86_400)
    return over(() => node.process.stepClock(0))
  },
  async descriptors(lab, node, ms) {
    node.process.excuse(/EMFILE|too many open files/i)
    await node.process.limitFiles(3)
    lab.crowd(node, ms / 1000)
    return over(() => node.process.limitFiles(undefined))
  },
}

async function onAll(lab: SoakLab, fault: SharedFault, choice: number): Promise<Undo> {
  if (fault === 'edit') {
    const before = lab.wanted
    await lab.want(edited(before, [...lab.nodes.keys()], choice))
    return over(() => lab.want(before))
  }
  if (fault === 'router') {
    await lab.router.kill()
    lab.away.set('router', 'ended')
    return over(async () => {
      await lab.router.start()
      lab.away.delete('router')
    })
  }
  return lab.source.strike(fault, choice)
}

/** Makes a fault happen; gives what ends it. */
export function strike(lab: SoakLab, fault: Fault): Promise<Undo> {
  return 'node' in fault
    ? onNode[fault.kind](lab, lab.node(fault.node), fault.ms)
    : onAll(lab, fault.kind, fault.choice)
}
