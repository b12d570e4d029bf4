import type { Action } from './action';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const EFFECTS: readonly string[] = ['none', 'idempotent', 'keyed', 'once'];

/** An action whose definition is at fault; the message says what to change. */
export class ActionInvalid extends Error {
  constructor(name: string, fault: string) {
    super(`action ${name}: ${fault}`);
    this.name = 'ActionInvalid';
  }
}

/** Checks an action and hands it on with its input's type. Throws `ActionInvalid`. */
export const defineAction = <I>(action: Action<I>): Action<I> => {
  const name = typeof action.name === 'string' ? action.name : '(without a name)';
  if (!NAME.test(name)) throw new ActionInvalid(name, 'the name needs 1 to 128 letters, digits, dots, dashes or underscores');
  if (!EFFECTS.includes(action.effect)) throw new ActionInvalid(name, `effect is one of ${EFFECTS.join(', ')}, not ${String(action.effect)}`);
  if (typeof action.run !== 'function') throw new ActionInvalid(name, 'run must be a function (input, context)');
  if (action.verify !== undefined && typeof action.verify !== 'function') throw new ActionInvalid(name, 'verify must be a function (input, context)');
  if (action.input !== undefined && (typeof action.input !== 'object' || action.input === null)) throw new ActionInvalid(name, 'input must be a zod schema or a JSON Schema');
  return action;
};
