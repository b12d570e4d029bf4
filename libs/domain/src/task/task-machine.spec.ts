import type { TaskStatus, TaskTransition } from '@foldwork/events/contracts';
import { coarseStatus, isActive, isEnded, legalTransitions, nextStatus, TASK_STATUSES } from './task-machine';

const TRANSITIONS: readonly TaskTransition[] = ['assign', 'start', 'complete', 'fail', 'escalate', 'retry', 'begin', 'wait', 'skip', 'cancel', 'timeOut', 'resolve'];
const SIX: readonly TaskStatus[] = ['pending', 'assigned', 'in_progress', 'completed', 'failed', 'escalated'];
const SIX_EVENTS: readonly TaskTransition[] = ['assign', 'start', 'complete', 'fail', 'escalate', 'retry'];

/** All that is legal, written down apart from the table under test. */
const LEGAL = new Set([
  'pending assign assigned', 'pending begin in_progress', 'pending wait waiting', 'pending skip skipped', 'pending cancel canceled', 'pending timeOut timed_out',
  'assigned start in_progress', 'assigned fail failed', 'assigned escalate escalated', 'assigned cancel canceled', 'assigned timeOut timed_out',
  'in_progress complete completed', 'in_progress fail failed', 'in_progress escalate escalated', 'in_progress cancel canceled', 'in_progress timeOut timed_out',
  'waiting complete completed', 'waiting fail failed', 'waiting escalate escalated', 'waiting cancel canceled', 'waiting timeOut timed_out',
  'failed retry pending', 'timed_out retry pending', 'canceled retry pending', 'escalated resolve completed',
]);
const PAIRS = TASK_STATUSES.flatMap((status) => TRANSITIONS.map((transition) => [status, transition] as const));

describe('the task state machine', () => {
  it.each(PAIRS)('[S2-05] %s %s is legal or refused as the list says', (status, transition) => {
    const to = nextStatus(status, transition);
    const expected = [...LEGAL].find((line) => line.startsWith(`${status} ${transition} `))?.split(' ')[2];
    expect(to).toBe(expected);
  });

  it('[S2-05] of the 36 pairs of the six states and six events 8 are legal; completed and escalated refuse all six', () => {
    const legal = SIX.flatMap((status) => SIX_EVENTS.filter((event) => nextStatus(status, event) !== undefined).map((event) => `${status} ${event}`));
    expect(legal).toEqual([
      'pending assign', 'assigned start', 'assigned fail', 'assigned escalate', 'in_progress complete', 'in_progress fail', 'in_progress escalate', 'failed retry',
    ]);
  });

  it('[S2-08] the legal transitions of a state are those of the table', () => {
    for (const status of TASK_STATUSES) expect(legalTransitions(status)).toEqual(TRANSITIONS.filter((transition) => nextStatus(status, transition) !== undefined).sort((a, b) => legalTransitions(status).indexOf(a) - legalTransitions(status).indexOf(b)));
    expect(legalTransitions('assigned')).toEqual(['start', 'fail', 'escalate', 'cancel', 'timeOut']);
    expect(legalTransitions('completed')).toEqual([]);
  });

  it('only completed and skipped tasks count as done', () => {
    const done = TASK_STATUSES.filter((status) => coarseStatus(status) === 'COMPLETED');
    expect(done).toEqual(['completed', 'skipped']);
    expect(TASK_STATUSES.filter((status) => isActive(status) && isEnded(status))).toEqual([]);
  });
});
