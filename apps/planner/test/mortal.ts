import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { LogUnavailable, type EventLog, type NewEvent } from '@foldwork/events';

/** A log and a pool for one process that can be killed or stopped. */
export interface Mortal {
  readonly log: EventLog;
  readonly pool: Pool;
  /** From now on nothing of what it does reaches the store. */
  kill(): void;
  /** What it does reaches the store only when it goes on. */
  stop(): void;
  goOn(): void;
}

export const mortal = (log: EventLog, pool: Pool): Mortal => {
  let isDead = false;
  let pause = Promise.withResolvers<undefined>();
  pause.resolve(undefined);
  const reach = async <T>(call: () => T): Promise<T> => {
    await pause.promise;
    if (isDead) throw new LogUnavailable('disconnected', 'killed');
    return call();
  };
  const guard = <T extends object>(target: T, calls: readonly PropertyKey[], own: Partial<T> = {}): T =>
    new Proxy(target, {
      get: (_target, key) => {
        const value: unknown = Reflect.get(Object.hasOwn(own, key) ? own : target, key);
        if (typeof value !== 'function') return value;
        const call = value as (...parameters: unknown[]) => unknown; // a method of the target
        return (...parameters: unknown[]) => (calls.includes(key) ? reach(() => call.apply(target, parameters)) : call.apply(target, parameters));
      },
    });
  const prepare: EventLog['prepare'] = (appends) => {
    const send = log.prepare(appends);
    return () => {
      const sending = reach(send);
      return appends.map(async (_append, index) => (await sending)[index] ?? Promise.reject(new Error('no outcome')));
    };
  };
  return {
    log: guard(log, ['append', 'readAfter', 'readRuns', 'head'], { prepare }),
    pool: guard(pool, ['query']),
    kill: () => {
      isDead = true;
    },
    stop: () => {
      pause = Promise.withResolvers();
    },
    goOn: () => pause.resolve(undefined),
  };
};

interface NamedQuery {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** A pool in which something comes before the statements of one name; what it rejects with fails the statement. */
export const beforeQuery = (pool: Pool, name: string, act: (values: readonly unknown[]) => Promise<void>): Pool =>
  new Proxy(pool, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (key !== 'query') return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      return async (query: NamedQuery) => {
        if (query.name === name) await act(query.values ?? []);
        return target.query(query as never); // as the planner gave it
      };
    },
  });

/** A pool in which one of the named statements takes its time. */
export const slowly = (pool: Pool, name: string, delayMs: number): Pool => beforeQuery(pool, name, () => sleep(delayMs));

/** A log whose appends are answered only after something else has happened. */
export const afterAppend = (log: EventLog, act: (events: readonly NewEvent[]) => Promise<void>): EventLog =>
  new Proxy(log, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (key !== 'append') return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      return async (events: readonly NewEvent[]) => {
        const outcome = await target.append(events);
        await act(events);
        return outcome;
      };
    },
  });
