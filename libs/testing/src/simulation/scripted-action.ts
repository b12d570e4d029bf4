import { ExactNumber, type Json } from '@foldwork/events';
import type { SimulatedAction, SimulatedAnswer, SimulatedCall } from './simulated-actions';

/**
 * An action that does what its input says: fails the first `failures` calls (with `code`), takes `ms`, has an effect when
 * `effect` is true, and answers `output` (default: its input).
 */
export const scripted: SimulatedAction = ({ input, call }: SimulatedCall): SimulatedAnswer => {
  const script: { readonly [key: string]: Json } = typeof input === 'object' && input !== null && !Array.isArray(input) && !(input instanceof ExactNumber) ? input : {};
  const ms = typeof script['ms'] === 'number' ? script['ms'] : 1;
  const failures = typeof script['failures'] === 'number' ? script['failures'] : 0;
  const code = typeof script['code'] === 'string' ? script['code'] : 'ACTION_FAILED';
  const effect = script['effect'] === true;
  if (call <= failures) return { error: { code, message: `failure ${call}` }, ms, effect };
  return { output: script['output'] ?? input, ms, effect };
};
