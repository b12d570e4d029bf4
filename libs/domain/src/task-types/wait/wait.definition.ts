import type { Json } from '@foldwork/events/contracts';
import { z } from 'zod';
import type { TaskDefinition } from '../../definition/definition';
import { commonFields, count, data, expression, lateDuration, nonBlank, strict, targetId } from '../../definition/schema-fields';
import type { Fault, TaskTypeDefinition } from '../../definition/task-type.definition';
import type { TaskCommon } from '../../definition/task.definition';

export interface SignalMatch {
  readonly signal: string;
  /** CEL over `signal` and `processor`. */
  readonly condition?: string;
}
export interface ApprovalRequest {
  readonly roles: readonly string[];
  /** Text with `${ CEL }`. */
  readonly title: string;
  readonly evidence?: Json;
  readonly choices?: readonly string[];
  readonly quorum?: number;
  readonly allowSelf?: boolean;
}

/** Waits for exactly one of: a signal, a time span, a point in time, any or all of several signals, an approval. */
export interface WaitTask extends TaskCommon {
  readonly type: 'wait';
  readonly waitFor?: string;
  readonly condition?: string;
  /** Text with `${ CEL }`: only signals with this correlation id match. */
  readonly correlationId?: string;
  /** Runs on each signal; its id defaults to `processor`. */
  readonly processor?: TaskDefinition;
  /** Milliseconds, or a string with `${ CEL }` that gives a duration. */
  readonly for?: number | string;
  /** RFC 3339, or a string with `${ CEL }` that gives one. */
  readonly until?: string;
  readonly any?: readonly SignalMatch[];
  readonly all?: readonly SignalMatch[];
  readonly approval?: ApprovalRequest;
  /** Milliseconds (>= 1), or a string with `${ CEL }` that gives a duration. */
  readonly timeout?: number | string;
  readonly onTimeout?: { readonly next: string };
}

const signalMatch = () => z
  .union([nonBlank(), strict({ signal: nonBlank(), condition: expression('Over `signal` and `processor`.').exactOptional() })], { error: 'Expected a signal name or {signal, condition}' })
  .transform((match) => (typeof match === 'string' ? { signal: match } : match));
const signalMatches = (description: string): z.ZodType<SignalMatch[]> => z.array(signalMatch()).min(1).max(100).describe(description);

const approval = () => strict({
  roles: z.array(nonBlank()).min(1).max(50).describe('Who may decide.'),
  title: nonBlank().describe('What is decided. Text with ${ CEL }.'),
  evidence: data('What the decision rests on.').exactOptional(),
  choices: z.array(nonBlank()).min(2).max(20).exactOptional(),
  quorum: count('How many must agree. Default 1.', 1, 100).exactOptional(),
  allowSelf: z.boolean().describe('Whether who asked may decide. Default false.').exactOptional(),
});

/** RFC 3339 with zone, or text with an expression. */
const pointInTime = () => z
  .string()
  .refine((value) => value.includes('${') || (RFC_3339.test(value) && !Number.isNaN(Date.parse(value))), { error: 'Expected a time such as 2026-11-30T08:00:00Z' })
  .describe('RFC 3339, or ${ CEL } that gives one.');
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/;

const ALTERNATIVES = ['waitFor', 'for', 'until', 'any', 'all', 'approval'] as const;
const SIGNAL_VARIABLES = ['signal', 'processor'];

const checkAlternatives = (task: WaitTask): Fault[] => {
  const present = ALTERNATIVES.filter((field) => task[field] !== undefined);
  if (present.length === 1) return [];
  if (present.length === 0) return [{ at: [], code: 'missing_field', message: `A wait needs one of ${ALTERNATIVES.join(', ')}` }];
  return present.slice(1).map((field) => ({ at: [field], code: 'conflicting_fields', message: `A wait has only one of ${present.join(' and ')}` }));
};

const checkSignalFields = (task: WaitTask): Fault[] => {
  const isForSignal = task.waitFor !== undefined || task.any !== undefined || task.all !== undefined;
  const misplaced = (['condition', 'processor', 'correlationId'] as const).filter((field) => task[field] !== undefined && !isForSignal);
  return misplaced.map((field) => ({ at: [field], code: 'conflicting_fields', message: `\`${field}\` needs \`waitFor\`, \`any\` or \`all\`` }));
};

const checkTimeout = (task: WaitTask): Fault[] => {
  const isOpenEnded = ALTERNATIVES.some((field) => field !== 'for' && field !== 'until' && task[field] !== undefined);
  if (isOpenEnded && task.timeout === undefined) {
    return [{ at: [], code: 'wait_without_timeout', severity: 'warning', message: 'This wait may last for ever', hint: 'Add `timeout`' }];
  }
  if (task.onTimeout && task.timeout === undefined) return [{ at: ['onTimeout'], code: 'conflicting_fields', message: '`onTimeout` needs `timeout`' }];
  return [];
};

/** The language has them, for the release that will; whoever writes one now should hear of it before a run fails. */
const checkApproval = ({ approval: asked }: WaitTask): Fault[] =>
  asked === undefined ? [] : [{ at: ['approval'], code: 'approval_not_available', severity: 'warning', message: 'This version takes no approvals: the task will fail with APPROVAL_NOT_AVAILABLE', hint: 'Wait for a signal that a person sends' }];

export const waitTaskType: TaskTypeDefinition<WaitTask> = {
  type: 'wait',
  summary: 'Waits for a signal, a time span, a point in time, several signals or an approval.',
  schema: (kit) =>
    strict({
      ...commonFields(),
      type: z.literal('wait'),
      waitFor: nonBlank().describe('Name of the signal.').exactOptional(),
      condition: expression('Over `signal` and `processor`; false: the wait goes on.').exactOptional(),
      correlationId: nonBlank().describe('Only signals with this correlation id match. Text with ${ CEL }.').exactOptional(),
      processor: kit.inlineTask('processor').describe('Runs on each signal; its result is `processor.output`.').exactOptional(),
      for: lateDuration('How long to wait.').exactOptional(),
      until: pointInTime().exactOptional(),
      any: signalMatches('The first of these signals ends the wait.').exactOptional(),
      all: signalMatches('All of these signals end the wait.').exactOptional(),
      approval: approval().describe('Not in this version: the task fails with APPROVAL_NOT_AVAILABLE.').exactOptional(),
      timeout: lateDuration('After this the wait fails with WAIT_TIMEOUT.', 1).exactOptional(),
      onTimeout: strict({ next: targetId() }).describe('Where to go after the timeout.').exactOptional(),
    }) as unknown as z.ZodType<WaitTask>, // the inline processor is typed as any registered task
  childLists: ({ processor }) =>
    processor ? [{ at: ['processor'], tasks: [processor], isInline: true, order: 'sequence', visibility: 'items', variables: ['signal'] }] : [],
  expressions: (task) => [
    { at: ['condition'], kind: 'condition', variables: SIGNAL_VARIABLES },
    { at: ['correlationId'], kind: 'template' },
    { at: ['for'], kind: 'template' },
    { at: ['until'], kind: 'template' },
    { at: ['timeout'], kind: 'template' },
    { at: ['approval', 'title'], kind: 'template' },
    { at: ['approval', 'evidence'], kind: 'template' },
    ...(['any', 'all'] as const).flatMap((field) =>
      (task[field] ?? []).map((_match, index) => ({ at: [field, index, 'condition'], kind: 'condition', variables: SIGNAL_VARIABLES }) as const),
    ),
  ],
  targets: ({ onTimeout }) => (onTimeout ? [{ at: ['onTimeout', 'next'], target: onTimeout.next }] : []),
  check: (task) => [...checkAlternatives(task), ...checkSignalFields(task), ...checkTimeout(task), ...checkApproval(task)],
};
