export { type Answer, type Seen, sumUp } from './answers.ts'
export { execute, LabNet, type LabPort, type Outcome } from './lab-net.ts'
