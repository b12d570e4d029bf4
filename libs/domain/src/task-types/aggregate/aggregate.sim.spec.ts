import { given, requested, Simulation, scripted, t } from '@foldwork/testing';
import { definitionHash } from '../../definition/definition-hash';
import { compileDefinition } from '../../plan/compile-definition';
import { parseDefinition } from '../built-in-language';

const AFTER = (fields: string): string => `
workflow: sums
tasks:
  - { id: a, type: basic, action: step, with: { output: { a: 1, both: left, list: [1, 2] } } }
  - { id: b, type: basic, action: step, with: { output: { b: 2, both: right, list: [3] } } }
  - { id: all, type: aggregate, ${fields} }
`;
const resultOf = async (fields: string) => {
  const sim = new Simulation({ actions: { step: scripted } });
  sim.define(AFTER(fields));
  const runId = await sim.request('sums');
  await sim.settle();
  return sim.task(runId, 'all');
};

describe('aggregate', () => {
  it('[S3-42] renders outputs from earlier tasks; a result outside its schema fails', async () => {
    expect((await resultOf("outputs: { sum: '${ tasks.a.output.a + tasks.b.output.b }' }")).output).toEqual({ sum: 3 });
    const bad = await resultOf("outputs: { sum: '${ tasks.a.output.a }' }, output: { type: object, properties: { sum: { type: string } } }");
    expect(bad).toMatchObject({ status: 'failed', error: { code: 'OUTPUT_INVALID' } });
  });

  it.each<[string, string, string]>([
    ['outputs: {}', 'invalid_value', '/tasks/2/outputs'],
    ...['action: step', 'agent: bob', 'tool: saw', 'sleep: 5s', 'with: { a: 1 }'].map((field) => [`outputs: { n: 1 }, ${field}`, 'unknown_field', `/tasks/2/${field.split(':')[0]}`] as [string, string, string]),
  ])('[S3-42] refuses %s', (fields, code, pointer) => {
    const { definition, diagnostics } = parseDefinition(AFTER(fields));
    expect([definition, diagnostics.map((each) => [each.code, each.pointer])]).toEqual([undefined, [[code, pointer]]]);
  });

  it('[S3-43] merges maps by the conflict policy and joins lists in their order', async () => {
    const sources = "sources: ['${ tasks.a.output }', '${ tasks.b.output }']";
    const { output } = await resultOf(`merge: { ${sources} }`);
    expect(output).toEqual({ a: 1, b: 2, both: 'right', list: [3] });
    expect((await resultOf(`merge: { ${sources}, conflict: first }`)).output).toMatchObject({ both: 'left' });
    expect(await resultOf(`merge: { ${sources}, conflict: error }`)).toMatchObject({ status: 'failed', error: { code: 'MERGE_CONFLICT' } });
    expect((await resultOf("concat: { sources: ['${ tasks.b.output.list }', '${ tasks.a.output.list }'] }")).output).toEqual([3, 1, 2]);
  });
});

describe('an aggregate that takes its time', () => {
  const OUTPUTS = Array.from({ length: 40 }, (_, n) => `o${n}: '\${ ${n} + 1 }'`).join(', ');
  const SOURCES = Array.from({ length: 40 }, (_, n) => `['\${ ${n} + 1 }']`).join(', ');

  /** Decides a run of one aggregate on a clock that each look at it moves on. */
  const decided = (fields: string, msPerLook: number) => {
    const { definition } = parseDefinition(`workflow: slow\ntasks:\n  - { id: all, type: aggregate, ${fields} }`);
    if (definition === undefined) throw new Error('the definition is valid');
    const compiled = compileDefinition(definition, definitionHash(definition));
    let passedMs = 0;
    const isTakingLong = (_task: string, limitMs: number): boolean => (passedMs += msPerLook) > limitMs;
    const { decision } = given(requested(compiled)).whenDecided(compiled, t(0), { isTakingLong });
    const last = (task: string, type: string) => JSON.parse(decision.events.findLast((event) => event.task === task && event.type === type)?.data ?? '{}');
    return { all: last('all', 'TaskTransitioned'), ended: decision.events.at(-1)?.type, passedMs };
  };

  it.each([[`outputs: { ${OUTPUTS} }`], [`concat: { sources: [${SOURCES}] }`], [`merge: { sources: ['\${ {"a": 1} }', ${SOURCES}] }`]])('[S3-42] is given up after 30 s and times out, %#', (fields) => {
    const { all, ended, passedMs } = decided(fields, 1_000);
    expect(all).toMatchObject({ transition: 'timeOut', to: 'timed_out', attempt: 1, error: { code: 'TASK_TIMEOUT', message: 'all took longer than 30000 ms' } });
    expect(ended).toBe('RunFailed');
    expect(passedMs).toBeLessThan(35_000);
  });

  it('[S3-42] is let be when it is done in time; a shorter limit of its own holds, a longer one does not', () => {
    expect(decided(`outputs: { ${OUTPUTS} }`, 500).all).toMatchObject({ transition: 'complete' });
    expect(decided(`outputs: { ${OUTPUTS} }, timeout: 5s`, 500).all).toMatchObject({ to: 'timed_out', error: { message: 'all took longer than 5000 ms' } });
    expect(decided(`outputs: { ${OUTPUTS} }, timeout: 10m`, 1_000).all).toMatchObject({ to: 'timed_out', error: { message: 'all took longer than 30000 ms' } });
  });
});
