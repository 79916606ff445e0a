/** Faults of the probe itself, which is no fault of the target. */
import type { FaultMeanings } from './meaning.ts';

export const probeFaults: FaultMeanings = {
  'probe.control.failed': {
    means: 'The probe could not reach its control targets either: it is probably the probe.',
    look: "Check the probe's own network.",
    causes: [
      "the probe's own network or provider is down",
      'its resolver does not work',
      'a firewall on the probe',
    ],
  },
  'probe.clock.stepped': {
    means: "The probe's wall clock jumped during the check.",
    look: 'Check time synchronisation on the probe.',
    causes: [
      'time synchronisation that set the clock at once',
      'a virtual machine that was paused or moved',
      'somebody set it by hand',
    ],
  },
  'probe.clock.wrong': {
    means: "The probe's clock is wrong, or not known to be right, and what it saw depends on it.",
    look: 'Its clock must be within two seconds: turn on time synchronisation on the probe.',
    causes: [
      'no time synchronisation (chrony, systemd-timesyncd), or one that reaches no server',
      'a clock that was set by hand or comes from a virtual machine that was paused',
      'the collector is not reached yet, so that there was nothing to compare with',
    ],
  },
  'probe.loop.suspended': {
    means: 'The probe itself was stopped while the check ran or was due.',
    look: 'See what stopped its process or its machine at that time.',
    causes: [
      'the machine was asleep, or its virtual machine paused or moved',
      'its process was stopped by a signal or a debugger',
      'it got no CPU, or waited for a disk that does not answer',
    ],
  },
  'probe.loop.late': {
    means: 'The probe was too busy to measure honestly.',
    look: 'Give it more CPU or fewer checks.',
    causes: [
      'other programs on the machine take the CPU',
      'more checks than this machine can do',
      'a virtual machine that gets too little CPU (steal)',
    ],
  },
  'probe.fd.exhausted': {
    means: 'The probe has no file descriptors left.',
    look: 'Raise its limit (ulimit -n), or look for a leak.',
    causes: ['a low limit of open files (ulimit -n)', 'many connections that hang at the same time'],
  },
  'probe.schedule.late': {
    means: 'The check could not be started in time.',
    look: 'The probe was stopped, suspended or overloaded.',
    causes: ['the machine was suspended or paused', 'it is overloaded', 'the probe was restarted'],
  },
  'probe.schedule.busy': {
    means: 'Two other checks of this address and port, or the last one of this monitor, took all the time.',
    look: 'The address answers too slowly for the monitors that it has: fewer monitors, shorter timeouts or longer intervals for it.',
    causes: [
      'the address hangs, and each check of it takes its whole timeout',
      'many monitors of one address and port',
      'timeouts that are long for the intervals',
    ],
  },
  'probe.check.failed': {
    means: 'The check itself broke before it had an answer: a bug in the probe or in its settings.',
    look: "The probe's log has the error; report it with the monitor's settings.",
    causes: ['a bug in the check', 'settings that were accepted and should not have been'],
  },
  'probe.config.kind': {
    means: 'This probe does not know this kind of check.',
    look: 'Upgrade the probe.',
    causes: ['a probe that is older than the collector', 'settings that this version does not know'],
  },
  'probe.config.settings': {
    means: "The check's settings make no sense for what it asks, so nothing was asked.",
    look: 'The detail says what to write in the config instead.',
    causes: [
      'a name that is asked for and is an address',
      'name servers without an address of the family asked for',
      'settings that were meant for another node',
    ],
  },
  'probe.config.secret': {
    means: 'A secret that the check needs is not on this probe, or not allowed for this host.',
    look: 'Set it in the environment as HIGHWATER_SECRET_… or under data/secrets, bound to that host.',
    causes: [
      'the variable or file is not there on this probe',
      'it is not bound to this host (HIGHWATER_SECRET_NAME_HOST)',
      'a typing error in its name',
    ],
  },
};
