export { type Answer, type Seen, sumUp } from './answers.ts'
export { birdControl } from './bird-control.ts'
export { execute, LabNet, type LabPort, type Outcome } from './lab-net.ts'
export { vty } from './vty.ts'
