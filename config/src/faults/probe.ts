/** Faults of the probe itself, which is no fault of the target. */
import type { FaultMeanings } from './meaning.ts';

export const probeFaults: FaultMeanings = {
  'probe.control.failed': {
    means: 'The probe could not reach its control targets either: it is probably the probe.',
    look: "Check the probe's own network.",
  },
  'probe.clock.stepped': {
    means: "The probe's wall clock jumped during the check.",
    look: 'Check time synchronisation on the probe.',
  },
  'probe.loop.late': {
    means: 'The probe was too busy to measure honestly.',
    look: 'Give it more CPU or fewer checks.',
  },
  'probe.fd.exhausted': {
    means: 'The probe has no file descriptors left.',
    look: 'Raise its limit (ulimit -n), or look for a leak.',
  },
  'probe.schedule.late': {
    means: 'The check could not be started in time.',
    look: 'The probe was stopped, suspended or overloaded.',
  },
  'probe.check.failed': {
    means: 'The check itself broke before it had an answer: a bug in the probe or in its settings.',
    look: "The probe's log has the error; report it with the monitor's settings.",
  },
  'probe.config.kind': {
    means: 'This probe does not know this kind of check.',
    look: 'Upgrade the probe.',
  },
  'probe.config.secret': {
    means: 'A secret that the check needs is not on this probe, or not allowed for this host.',
    look: 'Set it in the environment as HIGHWATER_SECRET_… or under data/secrets, bound to that host.',
  },
};
