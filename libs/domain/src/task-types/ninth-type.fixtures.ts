import { z } from 'zod';
import { commonFields, strict } from '../definition/schema-fields';
import type { TaskTypeModule } from './orchestrator';

/** A type that is not in the product: says its text so many times, one second apart. All of it is in this constant. */
export const echo: TaskTypeModule = {
  definition: {
    type: 'echo',
    summary: 'Says something after a while.',
    schema: () => strict({ ...commonFields(), type: z.literal('echo'), text: z.string() }) as never,
  },
  worker: 'engine',
  orchestrators: [
    {
      type: 'echo',
      version: 1,
      begin: ({ now }) => [{ kind: 'wait', until: now + 1_000 }],
      advance: ({ now, task, spec }) =>
        now < (task.until ?? 0) ? [{ kind: 'wakeAt', at: task.until ?? 0 }] : [{ kind: 'complete', output: { said: String((spec.spec as { text?: string }).text) } }],
    },
  ],
};
