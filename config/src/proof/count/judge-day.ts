/** A day's minutes from its monitors' slots: what stands still, nodes, services; into the sums of what is told. */
import { MINUTES_PER_DAY } from '../../time.ts';
import type { MinuteRange } from '../rule/evaluate.ts';
import { isOldByte, slotOfByte } from '../rule/slot-byte.ts';
import { isStalled } from '../rule/stalled.ts';
import type { Timeline } from '../rule/timeline.ts';
import { type LaidChain, type LaidService, layoutOf, nodeOfMonitor } from './layout.ts';
import type { MonitorSlots, Plane } from './monitor-slots.ts';
import { STALLED, UNSEEN_NODE, nodeBytes, nodeOf, serviceByte } from './node-codes.ts';
import type { Stretch } from './spans.ts';
import type { Course, Sums } from './sums.ts';

const MAINTENANCE = 8;

export interface Into {
  /** Sums of a subject as a region says (`''`: as agreed). */
  sumsOf(service: string, subject: string, region: string): Sums;
  courseOf(service: string, subject: string): Course;
}

export interface DayScene {
  readonly day: number;
  /** Its minutes that are told. */
  readonly minutes: MinuteRange;
  /** Place of the day in the range. */
  readonly place: number;
  readonly timeline: Timeline;
  readonly stretches: readonly Stretch[];
  readonly slots: ReadonlyMap<string, MonitorSlots>;
  /** Services that are told. */
  isTold(service: string): boolean;
  readonly into: Into;
}

export function judgeDay(scene: DayScene): void {
  for (const { first, last, under } of scene.stretches) {
    const from = Math.max(first, scene.minutes.first) - scene.day * MINUTES_PER_DAY;
    const to = Math.min(last, scene.minutes.last) - scene.day * MINUTES_PER_DAY;
    if (from > to) continue;
    const { chains, services } = layoutOf(under);
    const stalled = new Map(chains.map((chain) => [chain.name, stalledIn(scene, chain, from, to)]));
    for (const service of services) {
      if (scene.isTold(service.service.id)) new ServiceDay(scene, service, stalled, from, to).judge();
    }
  }
}

/** By minute: STALLED or 0; undefined where the chain does not stand still in any. */
function stalledIn({ slots }: DayScene, chain: LaidChain, from: number, to: number): Uint8Array | undefined {
  const heads = chain.judging.flatMap(({ id, operator }) => {
    const own = slots.get(id);
    return own === undefined ? [] : [{ bytes: own.agreed.bytes, operator }];
  });
  let stalled: Uint8Array | undefined;
  for (let minute = from; minute <= to; minute += 1) {
    let old = 0;
    for (const { bytes } of heads) if (isOldByte(bytes[minute] ?? 0)) old += 1;
    if (old === 0) continue;
    const said = heads.flatMap(({ bytes, operator }) => {
      const byte = bytes[minute] ?? 0;
      const state = slotOfByte(byte)?.state;
      return state === undefined ? [] : [{ state, old: isOldByte(byte), operator }];
    });
    if (!isStalled(said)) continue;
    stalled ??= new Uint8Array(MINUTES_PER_DAY);
    stalled[minute] = STALLED;
  }
  return stalled;
}

interface PartPlane {
  readonly plane: Plane;
  /** Of a head whose chain stands still in some minute. */
  readonly stalled: Uint8Array | undefined;
}

/** Monitors that are judged together, in one plane. */
class Parts {
  private readonly parts: readonly PartPlane[];
  private readonly bytes: number[];
  id = 0;
  asked = 0;
  succeeded = 0;

  constructor(parts: readonly PartPlane[]) {
    this.parts = parts;
    this.bytes = parts.map(() => -1);
  }

  at(minute: number): number {
    const { parts, bytes } = this;
    let hasChanged = false;
    this.asked = 0;
    this.succeeded = 0;
    for (let i = 0; i < parts.length; i += 1) {
      const part = parts[i];
      if (part === undefined) continue;
      const own = part.plane.bytes[minute] ?? 0;
      const byte = own === 0 || part.stalled === undefined ? own : own | (part.stalled[minute] ?? 0);
      if (byte !== bytes[i]) {
        bytes[i] = byte;
        hasChanged = true;
      }
      this.asked += part.plane.asked[minute] ?? 0;
      this.succeeded += part.plane.succeeded[minute] ?? 0;
    }
    if (hasChanged) this.id = nodeOf(bytes);
    return this.id;
  }
}

class ServiceDay {
  private readonly scene: DayScene;
  private readonly laid: LaidService;
  private readonly stalled: ReadonlyMap<string, Uint8Array | undefined>;
  private readonly from: number;
  private readonly to: number;
  private readonly chainOf: ReadonlyMap<string, string>;
  private readonly maintained: (subject: string) => Uint8Array;

  constructor(
    scene: DayScene,
    laid: LaidService,
    stalled: ReadonlyMap<string, Uint8Array | undefined>,
    from: number,
    to: number,
  ) {
    this.scene = scene;
    this.laid = laid;
    this.stalled = stalled;
    this.from = from;
    this.to = to;
    this.chainOf = new Map(
      laid.monitors.flatMap(({ id, kind, chain }) => (kind === 'head' ? [[id, chain ?? '']] : [])),
    );
    const covered = new Map<string, Uint8Array>();
    this.maintained = (subject) => {
      const known = covered.get(subject) ?? this.cover(subject);
      covered.set(subject, known);
      return known;
    };
  }

  /** MAINTENANCE or 0 by minute, of a service, or of a node that its own or its service's covers. */
  private cover(subject: string): Uint8Array {
    const { timeline, day } = this.scene;
    const service = this.laid.service.id;
    const minutes = new Uint8Array(MINUTES_PER_DAY);
    for (let minute = this.from; minute <= this.to; minute += 1) {
      const at = day * MINUTES_PER_DAY + minute;
      if (timeline.isMaintained(subject, at) || (subject !== service && timeline.isMaintained(service, at)))
        minutes[minute] = MAINTENANCE;
    }
    return minutes;
  }

  judge(): void {
    const regions = new Set<string>();
    for (const { id } of this.laid.monitors) {
      const slots = this.scene.slots.get(id);
      if (slots === undefined) continue;
      this.tellMonitor(id, '', slots.agreed);
      for (const [region, plane] of slots.planes) {
        regions.add(region);
        this.tellMonitor(id, region, plane);
      }
    }
    for (const region of ['', ...regions]) this.judgePlane(region);
  }

  private stalledOf(id: string): Uint8Array | undefined {
    const chain = this.chainOf.get(id);
    return chain === undefined ? undefined : this.stalled.get(chain);
  }

  private tellMonitor(id: string, region: string, { bytes, asked, succeeded }: Plane): void {
    const sums = this.scene.into.sumsOf(this.laid.service.id, id, region);
    const over = this.maintained(nodeOfMonitor(id));
    const stalled = this.stalledOf(id);
    for (let minute = this.from; minute <= this.to; minute += 1) {
      const byte = bytes[minute] ?? 0;
      if (byte === 0) continue;
      const whole = byte | (over[minute] ?? 0) | (stalled?.[minute] ?? 0);
      sums.add(whole, asked[minute] ?? 0, succeeded[minute] ?? 0);
    }
  }

  private partsOf(monitors: readonly string[], region: string): Parts {
    const parts = monitors.flatMap((id) => {
      const slots = this.scene.slots.get(id);
      const plane = region === '' ? slots?.agreed : slots?.planes.get(region);
      return plane === undefined ? [] : [{ plane, stalled: this.stalledOf(id) }];
    });
    return new Parts(parts);
  }

  private judgePlane(region: string): void {
    const { scene, laid } = this;
    const { into, day, place } = scene;
    const { id: service, minUp } = laid.service;
    const isAgreed = region === '';
    const open = this.partsOf(laid.open, region);
    const hasOpen = laid.open.length > 0;
    const nodes = laid.nodes.map(({ id, monitors }) => ({
      parts: this.partsOf(monitors, region),
      over: this.maintained(id),
      sums: into.sumsOf(service, id, region),
      course: isAgreed ? into.courseOf(service, id) : undefined,
    }));
    const ids = nodes.map(() => -1);
    const over = this.maintained(service);
    const sums = into.sumsOf(service, service, region);
    const course = isAgreed ? into.courseOf(service, service) : undefined;
    let ofNodes = 0;
    for (let minute = this.from; minute <= this.to; minute += 1) {
      const at = day * MINUTES_PER_DAY + minute;
      let hasChanged = false;
      let isAsked = false;
      let [asked, succeeded] = [0, 0];
      for (let i = 0; i < nodes.length; i += 1) {
        const node = nodes[i];
        if (node === undefined) continue;
        let id = node.parts.at(minute);
        if (id === 0) id = UNSEEN_NODE;
        else {
          isAsked = true;
          asked += node.parts.asked;
          succeeded += node.parts.succeeded;
          const byte = (nodeBytes[id] ?? 0) | (node.over[minute] ?? 0);
          node.sums.add(byte, node.parts.asked, node.parts.succeeded);
          node.course?.add(place, at, byte);
        }
        if (id !== ids[i]) {
          ids[i] = id;
          hasChanged = true;
        }
      }
      if (hasChanged) ofNodes = serviceByte(ids, minUp);
      let byte = ofNodes;
      if (hasOpen) {
        byte = nodeBytes[open.at(minute)] ?? 0;
        asked = open.asked;
        succeeded = open.succeeded;
      } else if (!isAsked) continue; // A region that asks none of what the service is judged by says nothing of it.
      if (byte === 0) continue;
      byte |= over[minute] ?? 0;
      sums.add(byte, asked, succeeded);
      course?.add(place, at, byte);
    }
  }
}
