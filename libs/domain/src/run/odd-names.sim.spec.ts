import { parseJson } from '@foldwork/events/contracts';
import { Simulation, scripted } from '@foldwork/testing';

const played = async (source: string, input = {}) => {
  const sim = new Simulation({ actions: { step: scripted } });
  const { workflow } = sim.define(source);
  const runId = await sim.request(workflow, { input });
  await sim.settle();
  const { status, output, error } = await sim.run(runId);
  return { sim, end: { status, output, error } };
};

/** Every object of JavaScript has members of these names. */
describe.each(['constructor', 'toString', 'hasOwnProperty'])('a name like any other: %s', (name) => {
  it('of a task, to the engine and to executors', async () => {
    const { end } = await played(`
workflow: w
tasks:
  - { id: ${name}, type: basic, action: step, with: { output: { n: 5 } } }
  - { id: wait, type: wait, for: 1s }
  - { id: next, type: basic, action: step, with: { output: '\${ tasks.${name}.output.n }' } }
output: '\${ tasks.${name}.output.n + tasks.next.output }'
`);
    expect(end).toEqual({ status: 'succeeded', output: 10, error: undefined });
  });

  it('of an item, or of its index', async () => {
    const each = (variable: string, value: string): Promise<{ end: object }> => played(`
workflow: w
tasks: [ { id: c, type: collection, items: [7, 8], ${variable}: ${name}, each: [ { id: e, type: basic, action: step, with: { output: '\${ ${value} }' } } ] } ]
output: '\${ tasks.c.output.results }'
`);
    expect((await each('itemVar', name)).end).toMatchObject({ output: [7, 8] });
    expect((await each('indexVar', name)).end).toMatchObject({ output: [0, 1] });
  });
});

it('a member __proto__ of the data stays data where inputs are laid over each other', async () => {
  const { sim } = await played(`
workflow: w
tasks:
  - { id: a, type: basic, action: step, onSuccess: { with: { more: 1 } } }
  - { id: b, type: basic, action: step, with: '\${ input }' }
`, parseJson('{"name":"n","__proto__":{"isAdmin":true}}') as object);
  const input = sim.world.calls.find(({ task }) => task === 'b')?.input as { readonly isAdmin?: boolean };
  expect([input.isAdmin, Object.keys(input)]).toEqual([undefined, ['name', '__proto__', 'more']]);
});
