/** The driver of the schedule: starts what is due, asks whether a fault is the probe's own, hands on what was seen. */
import { setMaxListeners } from "node:events";
import type { Observation } from "@highwater/config/domain.ts";
import { sha256 } from "@highwater/config/keys.ts";
import type { AnyCheckKind } from "@highwater/config/kinds.ts";
import type { AssignmentBody } from "@highwater/config/wire.ts";
import type { Controls } from "./controls.ts";
import { fault } from "./fault.ts";
import type { LoopWatch } from "./loop-watch.ts";
import {
  type House,
  observe,
  prepare,
  type Prepared,
  type Seen,
} from "./observe.ts";
import {
  answered,
  makeSchedule,
  type Schedule,
  type Start,
  turn,
  wakeAt,
} from "./schedule.ts";
import { acrossStop, ownUp, wantsControls } from "./self.ts";

export interface RoundsOptions {
  readonly probe: string;
  readonly table: Readonly<Record<string, AnyCheckKind>>;
  readonly loop: LoopWatch;
  /** Whether the clock is known to be right. */
  readonly isClockSure: () => boolean;
  /** Each observation as it ends. */
  seen: (observation: Observation) => void;
}

export interface Rounds {
  /** Takes up new work; what stays the same goes on undisturbed. */
  assigned(body: AssignmentBody, house: House, controls: Controls): void;
  readonly monitors: number;
  /** Starts nothing more and waits for what runs, up to a limit. */
  drain(maxMs: number): Promise<void>;
}

/** The wall clock may step while a timer waits, so no wait is longer than this. */
const longestWaitMs = 1_000;

interface Work {
  readonly body: AssignmentBody;
  readonly house: House;
  readonly controls: Controls;
  readonly prepared: ReadonlyMap<string, Prepared>;
}

export function startRounds({
  probe,
  table,
  loop,
  isClockSure,
  seen,
}: RoundsOptions): Rounds {
  const ending = new AbortController();
  // Each check that runs listens: many at once are no leak.
  setMaxListeners(0, ending.signal);
  const running = new Set<Promise<void>>();
  let work: Work | undefined;
  let schedule: Schedule | undefined;
  let timer: NodeJS.Timeout | undefined;

  const tick = () => {
    if (!work || !schedule || ending.signal.aborted) return;
    const now = work.house.now();
    const done = turn(schedule, now);
    schedule = done.schedule;
    for (const { id, dueAt } of done.missed)
      seen(missedAt(id, dueAt, now, loop.wasStoppedAt(dueAt)));
    for (const start of done.start) begin(start, work);
    rest(work);
  };

  const rest = ({ house }: Work) => {
    clearTimeout(timer);
    const at = schedule ? wakeAt(schedule) : undefined;
    if (at === undefined) return;
    timer = setTimeout(
      tick,
      Math.min(longestWaitMs, Math.max(0, at - house.now())),
    );
  };

  const begin = (start: Start, now: Work) => {
    const prepared = now.prepared.get(start.id);
    if (!prepared) return;
    const run = look(prepared, start, now)
      .then((observation) => {
        // A monitor that was taken away meanwhile has nobody to report to.
        if (work?.prepared.has(start.id)) seen(observation);
        settle(start, observation);
      })
      .catch((thrown: unknown) => {
        if (!ending.signal.aborted) now.house.broke(start.id, thrown);
        settle(start, undefined);
      })
      .finally(() => running.delete(run));
    running.add(run);
  };

  const settle = (
    { id, recheck }: Start,
    observation: Observation | undefined,
  ) => {
    if (!schedule || !work) return;
    const before = schedule;
    schedule = answered(
      before,
      id,
      observation && saysOf(observation),
      recheck,
      work.house.now(),
    );
    if (schedule.budget !== before.budget && !ending.signal.aborted) rest(work);
  };

  const look = async (
    prepared: Prepared,
    start: Start,
    { house, controls }: Work,
  ): Promise<Observation> => {
    const { monotonic } = house.outside;
    const from = monotonic();
    const wallFrom = house.now();
    const { observation, family, loopback }: Seen = await observe(
      prepared,
      start,
      house,
      ending.signal,
    );
    const found = observation.fault;
    if (found?.source === "probe") return observation;
    const to = monotonic();
    const stoppedMs = loop.stoppedBetween(from, to);
    if (stoppedMs > 0) return acrossStop(observation, stoppedMs);
    if (!found) return observation;
    const evidence = {
      family,
      loopback,
      loopLateMs: loop.lateBetween(from, to),
      isClockSure: isClockSure(),
      clockStepMs: house.now() - wallFrom - (to - from),
      timeoutMs: prepared.monitor.timeoutMs,
      controls: wantsControls(found, loopback) ? await controls.ask(from) : [],
    };
    return { ...observation, fault: ownUp(found, evidence) };
  };

  return {
    get monitors() {
      return work?.prepared.size ?? 0;
    },
    assigned(body, house, controls) {
      const before = work?.prepared;
      const prepared = new Map(
        body.monitors.map((monitor) => {
          const made = prepare(monitor, body.chains, table);
          const old = before?.get(monitor.id);
          return [monitor.id, old && isSame(old, made) ? old : made];
        }),
      );
      for (const [id, old] of before ?? []) {
        if (prepared.get(id) !== old) old.lasting[Symbol.dispose]();
      }
      work = { body, house, controls, prepared };
      schedule = makeSchedule(
        body.monitors,
        body.seed,
        probe,
        house.now(),
        sha256,
        schedule,
      );
      rest(work);
    },
    async drain(maxMs) {
      clearTimeout(timer);
      schedule = undefined;
      const over = setTimeout(
        () => ending.abort(new Error("the probe is ending")),
        maxMs,
      );
      while (running.size > 0) await Promise.race(running);
      clearTimeout(over);
      ending.abort(new Error("the probe has ended"));
      for (const prepared of work?.prepared.values() ?? [])
        prepared.lasting[Symbol.dispose]();
    },
  };
}

function isSame(a: Prepared, b: Prepared): boolean {
  return (
    JSON.stringify([a.monitor, a.chain]) ===
    JSON.stringify([b.monitor, b.chain])
  );
}

function missedAt(
  monitor: string,
  dueAt: number,
  now: number,
  wasStopped: boolean,
): Observation {
  const found = fault(
    wasStopped ? "probe.loop.suspended" : "probe.schedule.late",
  );
  return {
    monitor,
    dueAt,
    outcome: "skipped",
    latencyTenths: 0,
    fault: found,
    facts: {},
    lateMs: now - dueAt,
    recheck: false,
  };
}

/** What an answer says of the target; undefined when it says nothing. */
function saysOf({
  outcome,
  fault: found,
}: Observation): "ok" | "fail" | undefined {
  if (outcome === "skipped" || found?.source === "probe") return undefined;
  return outcome === "fail" ? "fail" : "ok";
}
