import { eventOf, given, begun, completed, moved, ofRun, requested, t, type Given } from '@foldwork/testing';
import { definitionHash } from '../definition/definition-hash';
import { compileDefinition } from '../plan/compile-definition';
import type { CompiledDefinition } from '../plan/compiled-definition';
import { parseDefinition } from '../task-types/built-in-language';

const compiled = (yaml: string): CompiledDefinition => {
  const { definition, diagnostics } = parseDefinition(yaml);
  if (definition === undefined) throw new Error(JSON.stringify(diagnostics));
  return compileDefinition(definition, definitionHash(definition));
};
const LOOP = `[ { id: check, type: basic, action: a, maxVisits: 3 }, { id: again, type: router, condition: "'more'", routes: { more: check, done: end } } ]`;
const LOOP_TASKS = [{ id: 'check', type: 'basic' }, { id: 'again', type: 'router' }];
const cameBack = (base = ''): Given[] => [
  begun(`${base}check`), completed(`${base}check`),
  moved(`${base}again`, { transition: 'begin', from: 'pending', to: 'in_progress' }),
  moved(`${base}again`, { transition: 'complete', from: 'in_progress', to: 'completed', output: { routeTaken: 'check' }, next: { task: 'check' } }),
];
const canceled = (task: string, from: 'pending' | 'in_progress') => eventOf('TaskTransitioned', task, { transition: 'cancel', from });

describe('the next visit of a loop, of which no event speaks yet but a command may be on its way', () => {
  const cancel = ofRun({ type: 'RunCancelRequested', data: { at: t(5) } });

  it('is taken away when the run is canceled', () => {
    const loop = compiled(`workflow: loop\ntasks: ${LOOP}`);
    const run = [requested(loop), ofRun({ type: 'RunPlanned', data: { tasks: LOOP_TASKS, at: t(0) } }), ...cameBack()];
    given(...run).whenDecided(loop, t(4)).thenRuns('check#2');
    given(...run, cancel).whenDecided(loop, t(5)).then(canceled('check#2', 'pending'), eventOf('RunCanceled', ''));
    given(...run, begun('check#2'), cancel).whenDecided(loop, t(5)).then(canceled('check#2', 'in_progress'), eventOf('RunCanceled', ''));
  });

  it('is taken away when its container is, with the run or before it', () => {
    const boxed = compiled(`workflow: boxed\ntasks: [ { id: box, type: composite, timeout: 1s, tasks: ${LOOP} }, { id: after, type: basic, action: a } ]`);
    const children = { childCount: 2, tasks: LOOP_TASKS };
    const run = [
      requested(boxed), ofRun({ type: 'RunPlanned', data: { tasks: [{ id: 'box', type: 'composite' }, { id: 'after', type: 'basic' }], at: t(0) } }),
      moved('box', { transition: 'begin', from: 'pending', to: 'in_progress', children }), ...cameBack('box/'),
    ];
    given(...run).whenDecided(boxed, t(4)).thenRuns('box/check#2');
    given(...run, cancel).whenDecided(boxed, t(5)).then(canceled('box/check#2', 'pending'), canceled('box', 'in_progress'), canceled('after', 'pending'), eventOf('RunCanceled', ''));
    given(...run).whenDecided(boxed, t(1_000)).then(canceled('box/check#2', 'pending'), eventOf('TaskTransitioned', 'box', { transition: 'timeOut' }), eventOf('RunFailed', ''));
  });

  it('is nothing to take away while the loop sleeps, or where nobody is asked', () => {
    const lazy = compiled(`workflow: lazy\ntasks: ${LOOP.replace('{ id: again,', '{ id: again, sleep: 1h,')}`);
    const run = [requested(lazy), ofRun({ type: 'RunPlanned', data: { tasks: LOOP_TASKS, at: t(0) } }), ...cameBack()];
    given(...run, cancel).whenDecided(lazy, t(5)).then(eventOf('RunCanceled', ''));
    given(requested(lazy), ofRun({ type: 'RunPlanned', data: { tasks: LOOP_TASKS, at: t(0) } }), cancel).whenDecided(lazy, t(5))
      .then(canceled('check', 'pending'), canceled('again', 'pending'), eventOf('RunCanceled', ''));
  });
});
