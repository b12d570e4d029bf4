import { z } from 'zod';
import { commonFields, data, strict } from '../definition/schema-fields';
import { echo } from './ninth-type.fixtures';
import type { TaskTypeModule } from './orchestrator';
import { taskTypes } from './registry';
import { describeTaskType, type TaskTypeSample } from './task-type.contract';

/** A type that says nothing of itself but what may be written. */
const plain: TaskTypeModule = {
  definition: { type: 'plain', summary: 'Nothing of its own.', schema: () => strict({ ...commonFields(), type: z.literal('plain'), action: z.string(), with: data('') }) as never },
  worker: 'executor',
  orchestrators: [{ type: 'plain', version: 1 }],
};
taskTypes.register(plain);
taskTypes.register(echo);

const STEP = '{ id: one, type: basic, action: step, with: { output: { n: 7 } } }';
const BAD = '{ id: one, type: basic, action: step, retry: { maximumAttempts: 1 }, with: { failures: 9 } }';
const EACH_FAILED = { code: 'child_task_failure' };
const ACTION = { fields: 'action: step, with: { output: { n: 7 } }', output: { n: 7 }, failing: { fields: 'action: step, retry: { maximumAttempts: 1 }, with: { failures: 9 }', code: 'ACTION_FAILED' } };

const SAMPLES: readonly TaskTypeSample[] = [
  { type: 'plain', ...ACTION },
  { type: 'basic', ...ACTION },
  {
    type: 'wait', fields: 'waitFor: go, timeout: 1h',
    output: { waitStatus: 'signaled', signal: { payload: { n: 1 }, metadata: expect.objectContaining({ signalId: 'go' }) }, signalReceivedAt: expect.any(String) },
    failing: { fields: 'waitFor: other, timeout: 1s', code: 'WAIT_TIMEOUT' },
  },
  {
    type: 'signal', fields: "signal: { id: hello, to: { run: '${ run.id }' } }",
    output: { signalDispatched: true, signalId: expect.any(String), targets: [] },
    failing: { fields: 'signal: { id: hello, to: { run: run_00000000-0000-7000-8000-000000000000 } }', code: 'SIGNAL_TARGET_UNKNOWN' },
  },
  {
    type: 'router', fields: `condition: "'x'", routes: { x: ${STEP} }`,
    output: { condition: 'x', routeTaken: 'one', routerType: 'map', result: { n: 7 } },
    failing: { fields: `condition: "'y'", routes: { x: ${STEP} }`, code: 'ROUTE_NOT_FOUND' },
  },
  {
    type: 'parallel', fields: `tasks: [ ${STEP}, { id: two, type: basic, action: step, with: { output: 8 } } ]`,
    output: { outputs: { one: { n: 7 }, two: 8 }, progress: { total: 2, processed: 2, succeeded: 2, failed: 0 } },
    failing: { fields: `tasks: [ ${BAD} ]`, ...EACH_FAILED },
  },
  {
    type: 'collection', fields: `items: '1..2', each: ${STEP}`,
    output: expect.objectContaining({ outputs: { 'it[0]': { n: 7 }, 'it[1]': { n: 7 } }, results: [{ n: 7 }, { n: 7 }], itemCount: 2, skippedCount: 0 }),
    failing: { fields: `items: '1..2', each: ${BAD}`, ...EACH_FAILED },
  },
  { type: 'composite', fields: `tasks: [ ${STEP} ]`, output: { outputs: { one: { n: 7 } } }, failing: { fields: `tasks: [ ${BAD} ]`, ...EACH_FAILED } },
  { type: 'aggregate', fields: 'concat: { sources: [[1], [2]] }', output: [1, 2], failing: { fields: "outputs: { n: '${ 1 / 0 }' }", code: 'EXPRESSION_ERROR' } },
  { type: 'echo', fields: 'text: hello', output: { said: 'hello' }, failing: { fields: "text: hello, outputs: { n: '${ output.none }' }", code: 'EXPRESSION_ERROR' } },
];

for (const sample of SAMPLES) describeTaskType(sample);

it('[S3-02] every registered type is held to it', () => {
  expect(SAMPLES.map(({ type }) => type).sort()).toEqual(taskTypes.definitions().map(({ type }) => type).sort());
});
