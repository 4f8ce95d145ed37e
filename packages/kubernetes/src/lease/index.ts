export {
  LeaderElection,
  type LeaderElectionEvents,
  type LeaderElectionOptions,
  type LeaderElectionStatus,
} from './leader-election.ts'
