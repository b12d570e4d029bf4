import { Simulation, scripted, type SimulatedAction } from '@foldwork/testing';
import type { Json } from '@foldwork/events/contracts';

/** Remembers how many of its calls overlap. */
const overlapping = (ms: number): { action: SimulatedAction; max: () => number } => {
  const spans: { from: number; to: number }[] = [];
  const action: SimulatedAction = ({ now }) => {
    spans.push({ from: now, to: now + ms });
    return { output: {}, ms };
  };
  return { action, max: () => Math.max(...spans.map(({ from }) => spans.filter((span) => span.from <= from && from < span.to).length)) };
};

const workflow = (fields: string, branches: string): string => `
workflow: branches
tasks:
  - id: both
    type: parallel
${fields}
    tasks:
${branches}
`;
const branch = (id: string, input: string): string => `      - { id: ${id}, type: basic, action: step, retry: { maximumAttempts: 1 }, with: ${input} }`;

const runOf = async (yaml: string, input: Json = {}) => {
  const sim = new Simulation({ actions: { step: scripted } });
  sim.define(yaml);
  const runId = await sim.request('branches', { input });
  await sim.settle();
  return { sim, runId, run: await sim.run(runId), parent: await sim.task(runId, 'both') };
};

describe('parallel', () => {
  it('[S3-23] plans its children in the append that starts it', async () => {
    const { sim, runId } = await runOf(workflow('', ['a', 'b', 'c'].map((id) => branch(id, '{}')).join('\n')));
    const [begin] = (await sim.events(runId)).filter(({ task }) => task === 'both');
    expect(JSON.parse(begin?.data ?? '').children).toEqual({
      childCount: 3, strategy: 'wait_all', maxWorkers: 0,
      tasks: [{ id: 'a', type: 'basic' }, { id: 'b', type: 'basic' }, { id: 'c', type: 'basic' }],
    });
  });

  it.each([[2, 2], [0, 5], [1, 1]])('[S3-24] with maxWorkers %i never more than %i of five run at once', async (maxWorkers, most) => {
    const { action, max } = overlapping(100);
    const sim = new Simulation({ actions: { step: action } });
    sim.define(workflow(`    maxWorkers: ${maxWorkers}`, ['a', 'b', 'c', 'd', 'e'].map((id) => branch(id, '{}')).join('\n')));
    const runId = await sim.request('branches');
    await sim.settle();
    expect((await sim.run(runId)).status).toBe('succeeded');
    expect(max()).toBe(most);
  });

  it('[S3-25] wait_all goes on until all ended, then fails and names the child', async () => {
    const { parent, sim, runId } = await runOf(workflow('', [branch('a', '{ ms: 50 }'), branch('b', '{ failures: 1 }'), branch('c', '{ ms: 90 }')].join('\n')));
    expect(await sim.statuses(runId)).toMatchObject({ 'both/a': 'completed', 'both/b': 'failed', 'both/c': 'completed' });
    expect(parent).toMatchObject({ status: 'failed', error: { code: 'child_task_failure', message: 'b: failure 1' } });
    expect((parent.endedAt ?? 0) - (parent.startedAt ?? 0)).toBeGreaterThanOrEqual(90);
  });

  it('[S3-26] fail_fast fails at once and cancels what runs and what is pending', async () => {
    const { parent, sim, runId } = await runOf(
      workflow('    strategy: fail_fast\n    maxWorkers: 2', [branch('a', '{ ms: 9000 }'), branch('b', '{ failures: 1 }'), branch('c', '{}'), branch('d', '{}')].join('\n')),
    );
    expect(await sim.statuses(runId)).toMatchObject({ both: 'failed', 'both/a': 'canceled', 'both/b': 'failed', 'both/d': 'canceled' });
    expect((parent.endedAt ?? 0) - (parent.startedAt ?? 0)).toBeLessThan(100);
    expect(sim.world.callsOf('both/d')).toBe(0);
    expect(sim.executors.flatMap(({ fenced }) => fenced)).toContain('both/a');
  });

  it('[S3-27] best_effort succeeds with one success and lists the errors', async () => {
    const { parent } = await runOf(workflow('    strategy: best_effort', [branch('a', '{ failures: 1 }'), branch('b', '{ output: { n: 1 } }'), branch('c', '{ failures: 1 }')].join('\n')));
    expect(parent).toMatchObject({
      status: 'completed',
      output: { outputs: { b: { n: 1 } }, errors: [{ task: 'both/a', message: 'failure 1' }, { task: 'both/c', message: 'failure 1' }] },
    });
    const none = await runOf(workflow('    strategy: best_effort', [branch('a', '{ failures: 1 }'), branch('b', '{ failures: 1 }')].join('\n')));
    expect(none.parent.status).toBe('failed');
  });

  it('[S3-28] race: the first success decides, a first failure does not', async () => {
    const { parent, sim, runId } = await runOf(
      workflow('    strategy: race', [branch('a', '{ failures: 1 }'), branch('b', '{ ms: 50, output: { winner: b } }'), branch('c', '{ ms: 5000 }')].join('\n')),
    );
    expect(parent).toMatchObject({ status: 'completed', output: { outputs: { b: { winner: 'b' } } } });
    expect(await sim.statuses(runId)).toMatchObject({ 'both/a': 'failed', 'both/b': 'completed', 'both/c': 'canceled' });
    const none = await runOf(workflow('    strategy: race', [branch('a', '{ failures: 1 }'), branch('b', '{ failures: 1 }')].join('\n')));
    expect(none.parent.status).toBe('failed');
  });

  it('[S3-30] evaluates outputs only after all children ended', async () => {
    const { parent } = await runOf(
      workflow('    outputs: { sum: "${ output.outputs.a.n + output.outputs.b.n }", of: "${ tasks.both.children.a.output.n }" }', [branch('a', '{ ms: 80, output: { n: 2 } }'), branch('b', '{ output: { n: 3 } }')].join('\n')),
    );
    expect(parent.output).toEqual({ sum: 5, of: 2 });
  });

  it('tries a failed child again without holding the others back', async () => {
    const { run, sim, runId } = await runOf(`
workflow: branches
tasks:
  - id: both
    type: parallel
    tasks:
      - { id: a, type: basic, action: step, with: { failures: 2 } }
      - { id: b, type: basic, action: step }
`);
    expect(run.status).toBe('succeeded');
    expect((await sim.task(runId, 'both/a')).attempt).toBe(3);
    expect(sim.world.callsOf('both/b')).toBe(1);
  });
});
