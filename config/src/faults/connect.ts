/** Faults of connecting. */
import type { FaultMeanings } from './meaning.ts';

export const connectFaults: FaultMeanings = {
  'target.connect.refused': {
    means: 'The address answered that nothing listens on that port.',
    look: 'Is the process running, and on that port? Did it crash, or is it still starting?',
    causes: [
      'the process is not running: it crashed or was stopped',
      'it listens on another port or on 127.0.0.1 alone',
      'it is still starting',
      'a firewall that rejects',
    ],
  },
  'target.connect.timeout': {
    means: 'No answer to the connection attempt before the deadline.',
    look: 'The machine is off or unreachable, a firewall drops packets, or the accept queue is full.',
    causes: [
      'a firewall or security group drops the packets',
      'the machine is off or its network is down',
      'the address is an old one that is no longer in use',
      'the accept queue is full',
    ],
  },
  'target.connect.reset': {
    means: 'The connection was reset while it was being made.',
    look: 'A load balancer without backends, or a firewall that rejects.',
    causes: [
      'a load balancer without healthy backends',
      'a firewall that rejects with a reset',
      'the process was restarted just then',
    ],
  },
  'target.connect.unreachable': {
    means: 'There is no route to the address.',
    look: 'Look at routing and at the address itself; for IPv6, whether the probe has IPv6 at all.',
    causes: [
      'this machine has no IPv6 although the name has an AAAA record',
      'a route or a tunnel is missing',
      'the network of the address is not announced',
    ],
  },
  'target.connect.private': {
    means: 'The address is private or reserved and this monitor may not reach those.',
    look: 'Set allowPrivate on the node and --allow-private on the probe if this is meant; otherwise the DNS record is wrong.',
    causes: [
      'a monitor of an internal node without allowPrivate',
      'a record that leads to a private address by mistake',
      'DNS that answers differently inside and outside (split horizon)',
    ],
  },
  'target.connect.failed': {
    means: 'The connection could not be made.',
    look: 'The detail names the system error.',
    causes: [
      'a local firewall on the probe forbids it',
      'the address or port is one that cannot be connected to',
    ],
  },
};
