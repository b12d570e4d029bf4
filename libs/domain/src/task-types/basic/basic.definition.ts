import type { Json } from '@foldwork/events/contracts';
import { z } from 'zod';
import { suggest } from '../../definition/did-you-mean';
import { commonFields, data, expression, nonBlank, strict } from '../../definition/schema-fields';
import { EFFECT_CLASSES, type EffectClass, type TimedTask } from '../../definition/task.definition';
import type { ActionFacts, CheckContext, Fault, TaskTypeDefinition } from '../../definition/task-type.definition';

/** Asks whether an effect was applied before it is repeated. `found` is CEL over `result`. */
export interface Verify {
  readonly action: string;
  readonly with?: Json;
  readonly found: string;
}

/** Runs one registered action. */
export interface BasicTask extends TimedTask {
  readonly type: 'basic';
  readonly action: string;
  readonly with?: Json;
  /** Absent: the action's own class. */
  readonly effect?: EffectClass;
  /** CEL; sent with each attempt of a `keyed` task. */
  readonly key?: string;
  readonly verify?: Verify;
  readonly breaker?: string;
  /** `exhausted`: when retries are used up; error codes: at once. */
  readonly escalate?: 'exhausted' | readonly string[];
}

const verify = () => strict({
  action: nonBlank().describe('Asks whether the effect was applied.'),
  with: data('Input of that action.').exactOptional(),
  found: expression('True: applied. Sees `result`.'),
}).describe('Asked after an uncertain end, before the effect is repeated.');

/** How much a repeat can hurt. */
const RANK: Readonly<Record<EffectClass, number>> = { none: 0, idempotent: 1, keyed: 2, once: 3 };

const checkEffect = (task: BasicTask, { actions }: CheckContext): Fault[] => {
  const facts = actions?.get(task.action);
  const effect = task.effect ?? facts?.effect;
  const fault = effect && effectFault(task, effect, facts);
  return fault ? [{ at: task.effect === undefined ? ['action'] : ['effect'], ...fault }] : [];
};

const effectFault = (task: BasicTask, effect: EffectClass, facts: ActionFacts | undefined): Omit<Fault, 'at'> | undefined => {
  if (facts && RANK[effect] < RANK[facts.effect])
    return { code: 'lowered_effect', message: `The action is \`${facts.effect}\`; a task may not call it \`${effect}\`` };
  if (effect === 'once' && !task.verify && facts?.verify !== true)
    return { code: 'once_without_verify', message: 'An effect that may happen only once needs `verify`', hint: 'Add `verify: {action, with, found}`' };
  if (effect === 'keyed' && task.key === undefined)
    return { code: 'keyed_without_key', message: 'A keyed effect needs `key`', hint: 'Add `key: run.id` or a key of your own' };
  return undefined;
};

const checkBreaker = ({ breaker }: BasicTask, { breakers }: CheckContext): Fault[] =>
  breaker === undefined || breakers.has(breaker)
    ? []
    : [{ at: ['breaker'], code: 'undeclared_breaker', message: `No breaker "${breaker}" in the document's \`breakers\``, ...suggest(breaker, breakers) }];

export const basicTaskType: TaskTypeDefinition<BasicTask> = {
  type: 'basic',
  summary: 'Runs one registered action.',
  schema: () =>
    strict({
      ...commonFields(),
      type: z.literal('basic'),
      action: nonBlank().describe('Name of a registered action.'),
      with: data('Input of the action.').exactOptional(),
      effect: z.enum(EFFECT_CLASSES).describe('`none`, `idempotent`: may be repeated; `keyed`: needs `key`; `once`: needs `verify`.').exactOptional(),
      key: expression('Sent with each attempt of a `keyed` task.').exactOptional(),
      verify: verify().exactOptional(),
      breaker: nonBlank().describe('Name of a breaker of the document.').exactOptional(),
      escalate: z
        .union([z.literal('exhausted'), z.array(nonBlank()).min(1).max(100)], { error: 'Expected `exhausted` or a list of error codes' })
        .describe('When the task becomes `escalated` instead of failed.')
        .exactOptional(),
    }),
  expressions: () => [
    { at: ['with'], kind: 'template' },
    { at: ['key'], kind: 'expression' },
    { at: ['verify', 'with'], kind: 'template' },
    { at: ['verify', 'found'], kind: 'condition', variables: ['result'] },
  ],
  actions: (task) => [
    { at: ['action'], action: task.action },
    ...(task.verify ? [{ at: ['verify', 'action'], action: task.verify.action }] : []),
  ],
  check: (task, context) => [...checkEffect(task, context), ...checkBreaker(task, context)],
  effectOf: (task, { actions }) => task.effect ?? actions?.get(task.action)?.effect,
};
