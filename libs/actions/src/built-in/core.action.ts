import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Json } from '@foldwork/events/contracts';
import { parseDuration } from '@foldwork/domain';
import { ActionError, type Action } from '../action';
import { defineAction } from '../define-action';

/** A longer timer rings at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

const json = z.custom<Json>(() => true);

/** Writes a log line and hands its input on. */
const log = defineAction({
  name: 'core.log',
  effect: 'none',
  run: (input: Json, context) => {
    context.log('core.log', { input });
    return input;
  },
});

/** Fails, with the code and message given: for trying out error paths. */
const fail = defineAction({
  name: 'core.fail',
  effect: 'none',
  input: z.object({ code: z.string().default('CORE_FAIL'), message: z.string().default('core.fail was asked to fail') }).default({ code: 'CORE_FAIL', message: 'core.fail was asked to fail' }),
  run: ({ code, message }) => {
    throw new ActionError(code, message);
  },
});

/** Takes its time; ends early when the attempt is aborted. */
const pause = defineAction({
  name: 'core.sleep',
  effect: 'none',
  input: z.object({ for: z.union([z.string(), z.number()]), output: json.optional() }),
  run: async ({ for: duration, output }, { signal }) => {
    for (let leftMs = parseDuration(duration); leftMs > 0; leftMs -= TIMER_MAX_MS) await sleep(Math.min(leftMs, TIMER_MAX_MS), undefined, { signal });
    return output ?? null;
  },
});

export const coreActions: readonly Action<never>[] = [log, fail, pause] as unknown as readonly Action<never>[]; // inputs are parsed before use
