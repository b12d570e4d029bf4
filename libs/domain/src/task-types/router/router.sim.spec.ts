import { Simulation, scripted } from '@foldwork/testing';
import type { Json } from '@foldwork/events/contracts';
import { parseDefinition } from '../built-in-language';

const BY_KEY = (extra = ''): string => `
workflow: routes
tasks:
  - id: route
    type: router
    condition: input.value
    routes: { a: first, b: second, 'true': second, '2': third }
    ${extra}
  - { id: first, type: basic, action: step, onSuccess: { next: join } }
  - { id: second, type: basic, action: step, onSuccess: { next: join } }
  - { id: third, type: basic, action: step, onSuccess: { next: join } }
  - { id: join, type: basic, action: step }
`;

const runWith = async (yaml: string, value: Json) => {
  const sim = new Simulation({ actions: { step: scripted } });
  sim.define(yaml);
  const runId = await sim.request('routes', { input: { value } });
  await sim.settle();
  return { sim, runId, run: await sim.run(runId), statuses: await sim.statuses(runId), route: await sim.task(runId, 'route') };
};

describe('router', () => {
  it.each([['b', 'second'], [' b ', 'second'], [true, 'second'], [2, 'third']])('[S3-17] %j chooses the equal key', async (value, taken) => {
    const { statuses, route } = await runWith(BY_KEY('onSuccess: { next: first }'), value);
    expect(route.output).toEqual({ condition: value, routeTaken: taken, routerType: 'map' });
    const skipped = { first: 'skipped', second: 'skipped', third: 'skipped' };
    expect(statuses).toEqual({ route: 'completed', ...skipped, [taken]: 'completed', join: 'completed' });
  });

  it.each([[null], [''], ['  ']])('[S3-17] %j is an error', async (value) => {
    expect((await runWith(BY_KEY(), value)).route).toMatchObject({ status: 'failed', error: { code: 'ROUTE_EMPTY' } });
  });

  it('[S3-18] an unknown key goes to default; without one the error lists the keys sorted', async () => {
    expect((await runWith(BY_KEY('default: third'), 'zzz')).statuses).toMatchObject({ third: 'completed', first: 'skipped' });
    expect((await runWith(BY_KEY(), 'zzz')).route.error?.message).toContain('2, a, b, true');
  });

  const ORDERED = (fallback = ''): string => `
workflow: routes
tasks:
  - id: route
    type: router
    routes: [ { condition: 'input.value > 10', next: big }, { condition: 'input.value > 5', next: middle } ]
    ${fallback}
  - { id: big, type: basic, action: step, final: true }
  - { id: middle, type: basic, action: step, final: true }
  - { id: small, type: basic, action: step }
`;
  it('[S3-19] of an ordered list the first true one wins; none and no default is an error', async () => {
    expect((await runWith(ORDERED('default: small'), 20)).statuses).toMatchObject({ big: 'completed', middle: 'skipped', small: 'skipped' });
    expect((await runWith(ORDERED('default: small'), 7)).statuses).toMatchObject({ big: 'skipped', middle: 'completed' });
    expect((await runWith(ORDERED('default: small'), 1)).statuses).toMatchObject({ small: 'completed' });
    const none = `
workflow: routes
tasks:
  - { id: route, type: router, routes: [ { condition: 'input.value > 10', next: big } ] }
  - { id: big, type: basic, action: step }
`;
    expect((await runWith(none, 1)).route).toMatchObject({ status: 'failed', error: { code: 'ROUTE_NOT_FOUND' } });
  });

  const INLINE = `
workflow: routes
tasks:
  - id: outer
    type: composite
    with: { fromOuter: 1 }
    tasks:
      - id: route
        type: router
        condition: input.value
        routes:
          a: { type: basic, action: step, with: { failures: 1, output: { chosen: a } } }
          b: { type: basic, action: step, with: { output: { chosen: b } } }
      - { id: after, type: basic, action: step, with: { output: '\${ tasks.route.output.result }' } }
`;
  it('[S3-20] a task written in place runs as the only child; the router ends with it', async () => {
    const sim = new Simulation({ actions: { step: scripted } });
    sim.define(INLINE);
    const results: Json[] = [];
    for (const value of ['a', 'b']) {
      const runId = await sim.request('routes', { input: { value } });
      await sim.settle();
      expect((await sim.run(runId)).status).toBe('succeeded');
      results.push((await sim.task(runId, 'outer/after')).output ?? null, (await sim.task(runId, 'outer/route')).output ?? null);
    }
    expect(results).toEqual([
      { chosen: 'a' }, { condition: 'a', routeTaken: 'inline', routerType: 'map', result: { chosen: 'a' } },
      { chosen: 'b' }, { condition: 'b', routeTaken: 'inline-2', routerType: 'map', result: { chosen: 'b' } },
    ]);
    // of what is around the router it gets nothing: not the `with` of the container, which the task behind the router does get
    const inputs = Object.fromEntries(sim.world.calls.map(({ task, input }) => [task, input]));
    expect(inputs).toMatchObject({ 'outer/after': { fromOuter: 1 } });
    expect(inputs['outer/route/inline']).toEqual({ failures: 1, output: { chosen: 'a' } });
    expect(inputs['outer/route/inline-2']).toEqual({ output: { chosen: 'b' } });
  });

  it('says nothing of a place that was not chosen when the run is canceled', async () => {
    const sim = new Simulation({ actions: { step: scripted } });
    sim.define(INLINE.replace('output: { chosen: b }', 'ms: 1000'));
    const runId = await sim.request('routes', { input: { value: 'b' } });
    await sim.pass(100);
    await sim.command(runId, { kind: 'cancel' });
    await sim.settle();
    expect(await sim.statuses(runId)).toEqual({ outer: 'canceled', 'outer/route': 'canceled', 'outer/route/inline-2': 'canceled', 'outer/after': 'canceled' });
  });

  const ROUTE = (target: string): string => `workflow: routes\ntasks:\n  - { id: route, type: router, condition: input.value, routes: { a: ${target}, b: other } }\n  - { id: other, type: basic, action: step }`;
  it.each([
    ['a number', '5', [['wrong_type', '']]], ['true', 'true', [['wrong_type', '']]], ['null', 'null', [['wrong_type', '']]], ['a list', '[other]', [['wrong_type', '']]],
    ['a map without type', '{ action: step }', [['missing_field', '']]], ['a map of an unknown type', '{ type: agent }', [['unknown_task_type', '/type']]],
    ['a task with CWD', '{ type: basic, action: step, CWD: /work }', [['unknown_field', '/CWD']]], ['a task with file_path', '{ type: basic, action: step, file_path: a.yaml }', [['unknown_field', '/file_path']]],
  ])('[S3-20] %s is refused before it can be chosen', (_case, target, faults) => {
    const { definition, diagnostics } = parseDefinition(ROUTE(target));
    expect([definition, diagnostics.map(({ code, pointer }) => [code, pointer])]).toEqual([undefined, faults.map(([code, at]) => [code, `/tasks/0/routes/a${at}`])]);
  });

  it.each([[[1]], [{ a: 1 }]])('[S3-20] %j as the value to choose by is refused', async (value) => {
    expect((await runWith(ROUTE('{ type: basic, action: step }'), value)).route).toMatchObject({ status: 'failed', error: { code: 'ROUTE_INVALID' } });
  });

  it('does not run over routes that were not taken when tasks follow each other', async () => {
    const { statuses, sim } = await runWith(BY_KEY().replaceAll(', onSuccess: { next: join }', ''), 'a');
    expect(statuses).toEqual({ route: 'completed', first: 'completed', second: 'skipped', third: 'skipped', join: 'completed' });
    expect(sim.world.callsOf('second')).toBe(0);
  });
});
