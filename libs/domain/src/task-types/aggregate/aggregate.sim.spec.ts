import { Simulation, scripted } from '@foldwork/testing';

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
  it('renders outputs from earlier tasks; a result outside its schema fails', async () => {
    expect((await resultOf("outputs: { sum: '${ tasks.a.output.a + tasks.b.output.b }' }")).output).toEqual({ sum: 3 });
    const bad = await resultOf("outputs: { sum: '${ tasks.a.output.a }' }, output: { type: object, properties: { sum: { type: string } } }");
    expect(bad).toMatchObject({ status: 'failed', error: { code: 'OUTPUT_INVALID' } });
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
