/** Faults of connecting. */
import type { FaultMeanings } from './meaning.ts';

export const connectFaults: FaultMeanings = {
  'target.connect.refused': {
    means: 'The address answered that nothing listens on that port.',
    look: 'Is the process running, and on that port? Did it crash, or is it still starting?',
  },
  'target.connect.timeout': {
    means: 'No answer to the connection attempt before the deadline.',
    look: 'The machine is off or unreachable, a firewall drops packets, or the accept queue is full.',
  },
  'target.connect.reset': {
    means: 'The connection was reset while it was being made.',
    look: 'A load balancer without backends, or a firewall that rejects.',
  },
  'target.connect.unreachable': {
    means: 'There is no route to the address.',
    look: 'Look at routing and at the address itself; for IPv6, whether the probe has IPv6 at all.',
  },
  'target.connect.private': {
    means: 'The address is private or reserved and this monitor may not reach those.',
    look: 'Set allowPrivate on the node and --allow-private on the probe if this is meant; otherwise the DNS record is wrong.',
  },
  'target.connect.failed': {
    means: 'The connection could not be made.',
    look: 'The detail names the system error.',
  },
};
