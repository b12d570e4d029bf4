import { begun, completed, failed, given, planned, requested, t } from '@foldwork/testing';
import type { TaskTransition } from '@foldwork/events/contracts';
import { definitionHash } from '../definition/definition-hash';
import { compileDefinition } from '../plan/compile-definition';
import { parseDefinition } from '../task-types/built-in-language';
import { Emission } from './emission';

const compiled = (yaml: string) => {
  const { definition, diagnostics } = parseDefinition(yaml);
  if (definition === undefined) throw new Error(JSON.stringify(diagnostics));
  return compileDefinition(definition, definitionHash(definition));
};
const UPLOAD = 'effect: once, verify: { action: find, found: result.found }';
const job = compiled(`workflow: job
tasks:
  - { id: validate, type: basic, action: validate }
  - { id: upload_image, type: basic, action: upload, ${UPLOAD} }
  - { id: save, type: basic, action: save }`);
const IDS = ['validate', 'upload_image', 'save'];

describe('the steps of an ordered job', () => {
  it('[S0-02] have the type of their definition; only an upload whose effect is `once` is not taken as idempotent', () => {
    const run = given(requested(job), planned(...IDS)).run();
    expect(IDS.map((id) => run.tasks.get(id as never)?.type)).toEqual(job.definition.tasks.map(({ type }) => type));
    const again = (id: string, before: string[]) =>
      given(requested(job), planned(...IDS), ...before.flatMap((done) => [begun(done), completed(done)]), begun(id), failed(id, { at: t(1) })).whenDecided(job, t(5_000)).decision.segments[0]?.[0];
    expect(again('validate', [])).not.toHaveProperty('verify');
    expect(again('save', ['validate', 'upload_image'])).not.toHaveProperty('verify');
    expect(again('upload_image', ['validate'])).toMatchObject({ path: 'upload_image', verify: 'first' });
  });

  it('[S0-07] are skipped when they are completed, and not when they failed, are pending, or were running at a lost executor', () => {
    const base = [requested(job), planned(...IDS)];
    given(...base, begun('validate'), completed('validate')).whenDecided(job, t(9)).thenRuns('upload_image,save');
    given(...base, begun('validate'), failed('validate', { at: t(1) })).whenDecided(job, t(5_000)).thenRuns('validate,upload_image,save');
    given(...base).whenDecided(job, t(9)).thenRuns('validate,upload_image,save');
    given(...base, begun('validate', { executor: 'w#1' })).whenDecided(job, t(9), { isLost: () => true }).thenRuns('validate,upload_image,save');
  });

  it('[S1-07] run by position, in whatever order they were handed over', () =>
    given(requested(job), planned('save', 'validate', 'upload_image')).whenDecided(job, t(0)).thenRuns('validate,upload_image,save'));

  it('[S2-10] leave exactly one event per transition, named by it, in the stream of the task', () => {
    const ways: readonly (readonly TaskTransition[])[] = [['assign', 'start', 'complete'], ['assign', 'fail', 'retry'], ['assign', 'escalate'], ['assign', 'start', 'fail'], ['assign', 'start', 'escalate']];
    for (const way of ways) {
      const emission = new Emission(given(requested(job), planned(...IDS)).run(), t(1), { actor: 'test' }, false);
      for (const transition of way) emission.transition('validate' as never, transition);
      expect(emission.events.map(({ type, task, data }) => [type, task, (JSON.parse(data) as { transition: string }).transition]))
        .toEqual(way.map((transition) => ['TaskTransitioned', 'validate', transition]));
    }
  });
});
