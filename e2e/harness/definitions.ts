import type { WorldInput } from './world';

interface WorldTask {
  readonly id: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A basic task whose work is a call of the outside world. */
export const task = (id: string, input: WorldInput = {}, more: object = {}): WorldTask => ({ id, type: 'basic', action: 'world.call', with: input, ...more });

/** An effect that must never take place twice. Its action says itself whether it did. */
export const onceTask = (id: string, input: WorldInput = {}, more: object = {}): WorldTask => task(id, input, { action: 'world.once', ...more });

export const workflow = (name: string, tasks: readonly WorldTask[], more: object = {}): object => ({ workflow: name, tasks, ...more });

/** No pause before the next attempt worth mentioning. */
export const RETRY_AT_ONCE = { initialInterval: '50ms', backoffCoefficient: 1 };

/** A task of the engine's own. */
export const AGGREGATE: WorldTask = { id: 'total', type: 'aggregate', outputs: { sum: 1 } };
