import { Simulation, scripted } from '@foldwork/testing';
import type { Json } from '@foldwork/events/contracts';

const NESTED = `
workflow: envs
env: { A: document, B: document, C: document, D: document }
tasks:
  - id: outer
    type: composite
    env: { B: outer, C: outer, D: outer }
    tasks:
      - id: inner
        type: parallel
        env: { C: inner, D: inner }
        tasks:
          - { id: leaf, type: basic, action: step, env: { D: leaf, E: leaf }, with: { output: '\${ env }' } }
          - { id: plain, type: basic, action: step, with: { output: '\${ env }' } }
          - { id: sum, type: aggregate, env: { D: sum }, outputs: { env: '\${ env }' } }
          - { id: all, type: collection, items: '1..1', env: { D: all }, each: { id: one, type: basic, action: step, with: { output: '\${ env }' } } }
          - { id: pick, type: router, condition: env.C, env: { D: pick }, routes: { inner: { type: basic, action: step, env: { E: inline }, with: { output: '\${ env }' } } } }
  - { id: after, type: basic, action: step, with: { output: '\${ env }' } }
`;

it('[S3-52] environments are merged key by key, the document beneath the container beneath the container in it beneath the task; a child has its parent\'s beneath its own', async () => {
  const sim = new Simulation({ actions: { step: scripted } });
  sim.define(NESTED);
  const runId = await sim.request('envs');
  await sim.settle();
  const seen = async (path: string): Promise<Json | undefined> => (await sim.task(runId, path)).output;
  const inside = { A: 'document', B: 'outer', C: 'inner', D: 'inner' };
  expect(await seen('outer/inner/leaf')).toEqual({ ...inside, D: 'leaf', E: 'leaf' });
  expect(await seen('outer/inner/plain')).toEqual(inside);
  expect(await seen('outer/inner/sum')).toEqual({ env: { ...inside, D: 'sum' } });
  expect(await seen('outer/inner/all[0]')).toEqual({ ...inside, D: 'all' });
  expect(await seen('outer/inner/pick/inline')).toEqual({ ...inside, D: 'pick', E: 'inline' });
  expect(await seen('after')).toEqual({ A: 'document', B: 'document', C: 'document', D: 'document' });
});
