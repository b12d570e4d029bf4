import { withTasks, type WrongDefinition } from './wrong-definition';

const two = (first: string, second = ''): string =>
  withTasks(`  - { id: a, type: basic, action: x.do, ${first} }\n  - { id: b, type: basic, action: x.do, ${second} }\n`);

/** Ids, transitions, effects and rollback. */
export const FLOW: readonly WrongDefinition[] = [
  { title: 'an id twice', text: withTasks('  - { id: a, type: basic, action: x.do }\n  - { id: a, type: basic, action: x.do }\n'), faults: ['4:duplicate_id'] },
  { title: 'a next to nowhere', text: two('onSuccess: { next: c }'), faults: ['3:unknown_target', '4:unreachable_task'] },
  { title: 'an onError to nowhere', text: two('onError: { next: bb }'), faults: ['3:unknown_target'], hint: '"b"' },
  { title: 'a next into another list', text: withTasks('  - id: p\n    type: composite\n    tasks:\n      - { id: inner, type: basic, action: x.do }\n  - { id: a, type: basic, action: x.do, onSuccess: { next: inner } }\n'), faults: ['7:unknown_target'] },
  { title: 'a task nothing leads to', text: withTasks('  - { id: a, type: basic, action: x.do, onSuccess: { next: c } }\n  - { id: b, type: basic, action: x.do }\n  - { id: c, type: basic, action: x.do }\n'), faults: ['4:unreachable_task'] },
  { title: 'a task behind a final one', text: two('final: true'), faults: ['4:unreachable_task'] },
  { title: 'a final task that goes on', text: two('final: true, onSuccess: { next: b }'), faults: ['3:conflicting_fields'] },
  { title: 'a loop without maxVisits', text: two('when: "true"', 'onSuccess: { next: a }'), faults: ['4:unbounded_loop'] },
  { title: 'a task that repeats itself without maxVisits', text: two('onError: { next: a }'), faults: ['3:unbounded_loop'] },
  { title: 'a loop through a router without maxVisits', text: withTasks('  - { id: a, type: basic, action: x.do }\n  - { id: r, type: router, condition: tasks.a.output, routes: { again: a, done: end } }\n'), faults: ['4:unbounded_loop'] },
  { title: 'a loop through a timeout without maxVisits', text: withTasks('  - { id: a, type: basic, action: x.do }\n  - { id: w, type: wait, waitFor: go, timeout: 1m, onTimeout: { next: a } }\n'), faults: ['4:unbounded_loop'] },
  { title: 'an unknown action', text: withTasks('  - { id: a, type: basic, action: market.uplaod }\n'), faults: ['3:unknown_action'], hint: 'market.upload' },
  { title: 'an unknown action in verify', text: withTasks('  - { id: a, type: basic, action: market.once, verify: { action: market.fnid, found: result.ok } }\n'), faults: ['3:unknown_action'], hint: 'market.find' },
  { title: 'an unknown action in undo', text: withTasks('  - { id: a, type: basic, action: x.do, undo: { action: x.undoo } }\n'), faults: ['3:unknown_action'], hint: 'x.undo' },
  { title: 'once without verify', text: withTasks('  - { id: a, type: basic, action: x.do, effect: once }\n'), faults: ['3:once_without_verify'] },
  { title: 'an action that is once by itself, without verify', text: withTasks('  - { id: a, type: basic, action: market.once }\n'), faults: ['3:once_without_verify'] },
  { title: 'keyed without key', text: withTasks('  - { id: a, type: basic, action: x.do, effect: keyed }\n'), faults: ['3:keyed_without_key'] },
  { title: 'a lowered effect class', text: withTasks('  - { id: a, type: basic, action: market.once, effect: idempotent }\n'), faults: ['3:lowered_effect'] },
  { title: 'an undeclared breaker', text: `breakers: { payments: {} }\n${withTasks('  - { id: a, type: basic, action: x.do, breaker: payment }\n')}`, faults: ['4:undeclared_breaker'], hint: 'payments' },
  { title: 'no undo in a rollback scope', text: `rollback: onFailure\n${two('effect: idempotent')}`, faults: ['4:missing_undo'] },
  { title: 'no undo in a composite that rolls back', text: withTasks('  - id: c\n    type: composite\n    rollback: onFailure\n    tasks:\n      - { id: a, type: basic, action: market.upload }\n      - { id: b, type: basic, action: x.do }\n'), faults: ['7:missing_undo'] },
  { title: 'an undo by a task that is not there', text: two('undo: { by: z }'), faults: ['3:unknown_target'] },
  { title: 'an undo by a task without undo', text: two('', 'undo: { by: a }'), faults: ['4:missing_undo'] },
];
