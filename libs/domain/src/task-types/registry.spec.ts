import { Simulation, scripted } from '@foldwork/testing';
import type { Orchestrator, TaskTypeModule } from './orchestrator';
import { TaskTypeRegistry, taskTypes } from './registry';

const TYPES = ['basic', 'wait', 'signal', 'router', 'parallel', 'collection', 'composite', 'aggregate'];
const basic = (orchestrators: readonly Orchestrator[]): TaskTypeModule => ({ definition: taskTypes.definitionOf('basic'), worker: 'executor', orchestrators });

describe('the registry of task types', () => {
  it('[S3-04] gives a registered type its own rule, names an unknown one, and knows what is registered', () => {
    for (const type of TYPES) expect([taskTypes.isRegistered(type), taskTypes.orchestratorFor(type).type]).toEqual([true, type]);
    expect(() => taskTypes.orchestratorFor('nonsense')).toThrow('nonsense');
    expect(taskTypes.isRegistered('nonsense')).toBe(false);
    const own = new TaskTypeRegistry([]);
    for (let n = 0; n < 100; n += 1) own.register({ ...basic([{ type: `t${n}`, version: 1 }]), definition: { ...taskTypes.definitionOf('basic'), type: `t${n}` } as never });
    expect(Array.from({ length: 100 }, (_, n) => own.orchestratorFor(`t${n}`).type)).toEqual(Array.from({ length: 100 }, (_, n) => `t${n}`));
  });

  it('[S2-11] routes by type, replaces on registering again, refuses an empty type, lets errors of a rule through', () => {
    const own = new TaskTypeRegistry([basic([{ type: 'basic', version: 1 }])]);
    const failing: Orchestrator = { type: 'basic', version: 2, advance: () => { throw new Error('a bug of the rule'); } };
    own.register(basic([failing]));
    expect(own.orchestratorFor('basic', 2)).toBe(failing);
    expect(() => own.orchestratorFor('basic')).toThrow('version 1');
    expect(() => own.orchestratorFor('basic', 2).advance?.({} as never)).toThrow('a bug of the rule');
    expect(() => own.orchestratorFor('other')).toThrow('other');
    expect(() => own.register({ ...basic([failing]), definition: { ...taskTypes.definitionOf('basic'), type: ' ' } as never })).toThrow('needs a name');
    expect(() => own.register(basic([{ type: 'basic', version: 1, begin: () => [] }]))).toThrow('begin');
    expect(() => own.register({ ...basic([failing]), worker: 'engine' })).toThrow('begin');
  });

  it('[S3-57] new runs begin with the chosen version, a run stays on its own, counters tell them apart, flipping back works', async () => {
    const before = taskTypes.orchestratorFor('aggregate');
    const second: Orchestrator = { type: 'aggregate', version: 2, begin: () => [{ kind: 'complete', output: { by: 2 } }] };
    taskTypes.register({ definition: taskTypes.definitionOf('aggregate'), worker: 'engine', orchestrators: [before, second] });
    const counters = new Map<string, number>();
    const sim = new Simulation({ actions: { step: scripted }, onDecision: (_run, { planned }) => planned.forEach((count, name) => counters.set(name, (counters.get(name) ?? 0) + count)) });
    sim.define("workflow: flags\ntasks:\n  - { id: nap, type: wait, for: 10s }\n  - { id: sum, type: aggregate, concat: { sources: [[1]] } }");
    let flags: Record<string, number> = {};
    const request = () => sim.request('flags', { orchestrators: taskTypes.versionsFor(flags) });
    const old = await request();
    flags = { aggregate: 2 };
    const fresh = await request();
    flags = { aggregate: 1 };
    const back = await request();
    await sim.settle();
    expect([(await sim.task(old, 'sum')).output, (await sim.task(fresh, 'sum')).output, (await sim.task(back, 'sum')).output]).toEqual([[1], { by: 2 }, [1]]);
    expect(Object.fromEntries(counters)).toEqual({ 'wait@1': 3, 'aggregate@1': 2, 'aggregate@2': 1 });
    expect(() => taskTypes.versionsFor({ aggregate: 9 })).toThrow('version 9');
  });
});
