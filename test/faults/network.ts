/**
 * A network of hosts on one machine: a network namespace each, joined by a router in a namespace of its own, so that a
 * host can be cut off from another by dropping what goes between them, as a broken line does. Needs root and iproute2.
 */
import { execFileSync } from 'node:child_process';
import type { Within } from '../e2e/process.ts';

export interface Network extends Disposable {
  /** Address of a host, and of this process as `here`. */
  addressOf(host: string): string;
  /** What a command line begins with to run in that host. */
  within(host: string): Within;
  /** Drops all packets between two hosts, both ways. */
  cut(a: string, b: string): void;
  heal(a: string, b: string): void;
  /** All of them are in it. */
  readonly cidr: string;
}

/** Names of interfaces have at most 15 characters. */
const prefix = `hw${process.pid.toString(36)}`;

export function makeNetwork(hosts: readonly string[]): Network {
  using stack = new DisposableStack();
  const router = `${prefix}-net`;
  const places = new Map(['here', ...hosts].map((host, i) => [host, i + 1]));
  const placeOf = (host: string): number => {
    const place = places.get(host);
    if (place === undefined) throw new Error(`no such host: ${host}`);
    return place;
  };
  const net = (host: string) => `10.97.${placeOf(host)}`;
  const between = (verb: 'add' | 'del', a: string, b: string) => {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      ip('-n', router, 'rule', verb, 'from', `${net(from)}.0/30`, 'to', `${net(to)}.0/30`, 'blackhole');
    }
  };

  addNamespace(stack, router);
  ip('netns', 'exec', router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
  for (const [host, place] of places) {
    const [inner, outer] = [`${prefix}h${place}`, `${prefix}r${place}`];
    ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner);
    ip('link', 'set', outer, 'netns', router);
    ip('-n', router, 'addr', 'add', `${net(host)}.1/30`, 'dev', outer);
    ip('-n', router, 'link', 'set', outer, 'up');
    // This process stays where it is and gets one end; with the router's namespace both ends are gone.
    const own = host === 'here' ? [] : ['-n', `${prefix}-${host}`];
    if (host !== 'here') {
      addNamespace(stack, `${prefix}-${host}`);
      ip('link', 'set', inner, 'netns', `${prefix}-${host}`);
      ip(...own, 'link', 'set', 'lo', 'up');
    }
    ip(...own, 'addr', 'add', `${net(host)}.2/30`, 'dev', inner);
    ip(...own, 'link', 'set', inner, 'up');
    const everywhere = host === 'here' ? '10.97.0.0/16' : 'default';
    ip(...own, 'route', 'add', everywhere, 'via', `${net(host)}.1`);
  }
  const kept = stack.move();
  return {
    cidr: '10.97.0.0/16',
    addressOf: (host) => `${net(host)}.2`,
    within: (host) => ({ command: 'ip', args: ['netns', 'exec', `${prefix}-${host}`] }),
    cut: (a, b) => between('add', a, b),
    heal: (a, b) => between('del', a, b),
    [Symbol.dispose]: () => kept.dispose(),
  };
}

function addNamespace(stack: DisposableStack, name: string): void {
  ip('netns', 'add', name);
  stack.defer(() => ip('netns', 'del', name));
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
