import type { Metric } from './metric';

/** Values kept per timer between two transmissions; beyond it the later ones are dropped. */
const VALUES_MAX = 20_000;

/** Metrics gathered since the last transmission: one sum per counter, the values of each timer. */
export class Tally {
  private counters = new Map<Metric, number>();
  private timers = new Map<Metric, number[]>();

  count(metric: Metric, times = 1): void {
    this.counters.set(metric, (this.counters.get(metric) ?? 0) + times);
  }

  time(metric: Metric, durationMs: number | undefined): void {
    if (durationMs === undefined) return;
    const values = this.timers.get(metric);
    if (values === undefined) this.timers.set(metric, [durationMs]);
    else if (values.length < VALUES_MAX) values.push(durationMs);
  }

  /** What was gathered; the tally is empty afterwards. */
  take(): { readonly counters: ReadonlyMap<Metric, number>; readonly timers: ReadonlyMap<Metric, readonly number[]> } {
    const { counters, timers } = this;
    this.counters = new Map();
    this.timers = new Map();
    return { counters, timers };
  }
}
