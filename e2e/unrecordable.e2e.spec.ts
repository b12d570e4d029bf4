import { workflowsThroughout } from './harness/throughout';
import { statusesOf, taskOf, type Workflows } from './harness/workflows';

let flows: Workflows;
workflowsThroughout((_, started) => (flows = started));

/** A text that no event can hold, as an expression writes it. */
const NUL = String.raw`"a\u0000b"`;

describe('a value that the log cannot hold', () => {
  it.each([
    ['an aggregate', `{ id: a, type: aggregate, outputs: { x: '\${ ${NUL} }' } }`],
    ['the route of a router', `{ id: a, type: router, condition: '${NUL}', routes: { x: { type: basic, action: core.log } }, default: { type: basic, action: core.log } }`],
    ['the error of a router', `{ id: a, type: router, condition: '${NUL}', routes: { x: { type: basic, action: core.log } } }`],
    ['a payload', `{ id: a, type: signal, signal: { id: go, payload: '\${ ${NUL} }' } }`],
    ['the name of a signal', `{ id: a, type: signal, signal: { id: '\${ ${NUL} }' } }`],
    ['items', `{ id: a, type: collection, items: '[${NUL}]', each: { id: one, type: basic, action: core.log } }`],
    ['with of a composite', `{ id: a, type: composite, with: { x: '\${ ${NUL} }' }, tasks: [ { id: one, type: basic, action: core.log } ] }`],
    ['the input of a child run', `{ id: a, type: composite, workflow: some, with: { x: '\${ ${NUL} }' } }`],
    ['a correlation id', `{ id: a, type: wait, waitFor: go, timeout: 1m, correlationId: '\${ ${NUL} }' }`],
  ])('fails the task that makes it, and onError is taken: %s', async (what, task) => {
    const handled = task.replace(/ \}$/, ', onError: { next: rescue } }');
    const done = await flows.play(`workflow: refused.${what.replaceAll(' ', '-')}\ntasks:\n  - ${handled}\n  - { id: rescue, type: basic, action: core.log }`);
    expect([done.status, taskOf(done, 'a')?.status, taskOf(done, 'a')?.error?.code, taskOf(done, 'rescue')?.status]).toEqual(['succeeded', 'failed', 'EXPRESSION_ERROR', 'completed']);
  });

  it.each([
    ['the input of an action', `with: { x: '\${ ${NUL} }' }`, 'INPUT_REFUSED'],
    ['the outputs of an action', `outputs: { x: '\${ ${NUL} }' }`, 'RESULT_REFUSED'],
  ])('fails the attempt: %s', async (what, fields, code) => {
    const done = await flows.play(`workflow: refused.${what.replaceAll(' ', '-')}\ntasks:\n  - { id: a, type: basic, action: core.log, retries: 0, ${fields} }`);
    expect([done.status, done.error?.code]).toEqual(['failed', code]);
  });

  it('fails the run whose output it is', async () => {
    for (const last of ['type: basic, action: core.log', 'type: aggregate, outputs: { x: 1 }']) {
      const done = await flows.play(`workflow: refused.output\ntasks:\n  - { id: a, ${last} }\noutput: '\${ ${NUL} }'`);
      expect([done.status, done.error, statusesOf(done)]).toEqual(['failed', { code: 'EXPRESSION_ERROR', message: 'the log cannot hold what the run gives: data has \\u0000' }, { a: 'completed' }]);
    }
  });

  it('fails the container whose result is too large', async () => {
    const done = await flows.play("workflow: refused.large\ntasks:\n  - { id: all, type: collection, items: 1..1200, each: { id: one, type: basic, action: core.log, with: { text: '${ input.text }' } } }", { text: 'x'.repeat(4_000) });
    expect([done.status, taskOf(done, 'all')?.error?.message]).toEqual(['failed', expect.stringContaining('the log cannot hold what all gives: data exceeds')]);
    expect(done.tasks.filter(({ status }) => status === 'completed')).toHaveLength(1_200);
  });
});

describe('a command that the NATS server does not take', () => {
  it('fails its task, which says what to do, and the run goes its way', async () => {
    const says = (id: string): string => `  - { id: ${id}, type: basic, action: core.log, with: { text: '\${ input.text }' } }`;
    const sum = "{ id: sum, type: basic, action: core.log, retries: 0, with: { texts: '${ [tasks.a, tasks.b, tasks.c, tasks.d, tasks.e, tasks.f] }' } }";
    const tasks = [...['a', 'b', 'c', 'd', 'e', 'f'].map(says), `  - { id: all, type: parallel, tasks: [${sum}] }`];
    const done = await flows.play(`workflow: refused.command\ntasks:\n${tasks.join('\n')}`, { text: 'x'.repeat(200_000) });
    const message = expect.stringMatching(/has \d+ bytes, and the NATS server takes 1048576: set its max_payload higher/);
    expect([done.status, taskOf(done, 'all/sum')?.status, taskOf(done, 'all/sum')?.error]).toEqual(['failed', 'failed', { code: 'COMMAND_TOO_LARGE', message }]);
  });
});
