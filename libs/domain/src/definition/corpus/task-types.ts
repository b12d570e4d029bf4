import { withTasks, type WrongDefinition } from './wrong-definition';

const wait = (fields: string): string => withTasks(`  - { id: w, type: wait, ${fields} }\n`);
const router = (fields: string): string => withTasks(`  - { id: r, type: router, ${fields} }\n  - { id: a, type: basic, action: x.do }\n`);
const parallel = (fields: string): string => withTasks(`  - { id: p, type: parallel, ${fields} }\n`);
const collection = (fields: string): string => withTasks(`  - { id: c, type: collection, ${fields} }\n`);
const EACH = 'each: [{ id: e, type: basic, action: x.do }]';
const BRANCH = 'tasks: [{ id: b, type: basic, action: x.do }]';

export const TASK_TYPE_RULES: readonly WrongDefinition[] = [
  { title: 'a wait for nothing', text: wait('title: x'), faults: ['3:missing_field'] },
  { title: 'a wait for a blank signal', text: wait('waitFor: " ", timeout: 1m'), faults: ['3:invalid_value'] },
  { title: 'a wait for two things', text: wait('waitFor: go, for: 5s, timeout: 1m'), faults: ['3:conflicting_fields'] },
  { title: 'a wait with a broken condition', text: wait('waitFor: go, condition: "signal.payload.ok ==", timeout: 1m'), faults: ['3:expression_syntax'] },
  { title: 'a wait with a condition that gives a number', text: wait('waitFor: go, condition: "1 + 1", timeout: 1m'), faults: ['3:expression_type'] },
  { title: 'a wait with a timeout of zero', text: wait('waitFor: go, timeout: 0'), faults: ['3:invalid_duration'] },
  { title: 'a wait with a negative timeout', text: wait('waitFor: go, timeout: -5'), faults: ['3:invalid_duration'] },
  { title: 'a wait with a malformed timeout', text: wait('waitFor: go, timeout: later'), faults: ['3:invalid_duration'] },
  { title: 'a wait with a broken templated timeout', text: wait('waitFor: go, timeout: "${ input. }"'), faults: ['3:expression_syntax'] },
  { title: 'a wait with an action', text: wait('waitFor: go, timeout: 1m, action: x.do'), faults: ['3:unknown_field'] },
  { title: 'a wait without timeout', text: wait('waitFor: go'), faults: ['3:wait_without_timeout'] },
  { title: 'an approval without timeout', text: wait('approval: { roles: [lead], title: Ship it }'), faults: ['3:wait_without_timeout'] },
  { title: 'an approval without roles', text: wait('approval: { title: Ship it }, timeout: 1d'), faults: ['3:missing_field'] },
  { title: 'a wait until nonsense', text: wait('until: tomorrow'), faults: ['3:invalid_value'] },
  { title: 'onTimeout without timeout', text: wait('for: 5s, onTimeout: { next: end }'), faults: ['3:conflicting_fields'] },
  { title: 'a condition on a time', text: wait('for: 5s, condition: "true"'), faults: ['3:conflicting_fields'] },
  { title: 'any of no signals', text: wait('any: [], timeout: 1m'), faults: ['3:invalid_value'] },
  { title: 'a signal without id', text: withTasks('  - { id: s, type: signal, signal: { payload: {} } }\n'), faults: ['3:missing_field'] },
  { title: 'a signal with a blank id', text: withTasks('  - { id: s, type: signal, signal: { id: "" } }\n'), faults: ['3:invalid_value'] },
  { title: 'a router without routes', text: router('condition: input.x'), faults: ['3:missing_field'] },
  { title: 'a router with no route', text: router('condition: input.x, routes: {}'), faults: ['3:invalid_value'] },
  { title: 'a map of routes without condition', text: router('routes: { x: a }'), faults: ['3:missing_field'] },
  { title: 'a list of routes with a condition of its own', text: router('condition: input.x, routes: [{ condition: "true", next: a }]'), faults: ['3:conflicting_fields'] },
  { title: 'a route to nowhere', text: router('condition: input.x, routes: { x: aa, y: a }'), faults: ['3:unknown_target'], hint: '"a"' },
  { title: 'a route that is a number', text: router('condition: input.x, routes: { x: 5, y: a }'), faults: ['3:wrong_type'] },
  { title: 'a default to nowhere', text: router('condition: input.x, routes: { x: a }, default: b'), faults: ['3:unknown_target'] },
  { title: 'an inline route with a fault inside', text: router('condition: input.x, routes: { x: { type: basic, acton: x.do } }'), faults: ['3:missing_field', '3:unknown_field'] },
  { title: 'a parallel without branches', text: parallel('tasks: []'), faults: ['3:invalid_value'] },
  { title: 'a parallel whose branch has no id', text: parallel('tasks: [{ type: basic, action: x.do }]'), faults: ['3:missing_field'] },
  { title: 'a parallel with two branches of one id', text: parallel('tasks: [{ id: b, type: basic, action: x.do }, { id: b, type: basic, action: x.do }]'), faults: ['3:duplicate_id'] },
  { title: 'an unknown strategy', text: parallel(`${BRANCH}, strategy: first_wins`), faults: ['3:invalid_value'] },
  { title: 'negative maxWorkers', text: parallel(`${BRANCH}, maxWorkers: -1`), faults: ['3:invalid_value'] },
  { title: 'a branch with the id of its parallel', text: parallel('tasks: [{ id: p, type: basic, action: x.do }]'), faults: ['3:self_reference'] },
  { title: 'a branch that contains its parallel again', text: parallel('tasks: [{ id: q, type: parallel, tasks: [{ id: p, type: basic, action: x.do }] }]'), faults: ['3:self_reference'] },
  { title: 'a branch that goes to another', text: parallel('tasks: [{ id: b, type: basic, action: x.do, onSuccess: { next: c } }, { id: c, type: basic, action: x.do }]'), faults: ['3:invalid_transition'] },
  { title: 'a collection without items', text: collection(EACH), faults: ['3:missing_field'] },
  { title: 'a collection without tasks', text: collection('items: input.list'), faults: ['3:missing_field'] },
  { title: 'a collection of a number', text: collection(`items: 5, ${EACH}`), faults: ['3:invalid_value'] },
  { title: 'a collection with an unknown mode', text: collection(`items: input.list, mode: serial, ${EACH}`), faults: ['3:invalid_value'] },
  { title: 'a batch of zero', text: collection(`items: input.list, batch: 0, ${EACH}`), faults: ['3:invalid_value'] },
  { title: 'a broken filter', text: collection(`items: input.list, filter: "item >", ${EACH}`), faults: ['3:expression_syntax'] },
  { title: 'an item variable that is taken', text: collection(`items: input.list, itemVar: input, ${EACH}`), faults: ['3:invalid_value'] },
  { title: 'a composite without tasks', text: withTasks('  - { id: c, type: composite }\n'), faults: ['3:missing_field'] },
  { title: 'a composite with an empty list', text: withTasks('  - { id: c, type: composite, tasks: [] }\n'), faults: ['3:invalid_value'] },
  { title: 'a composite with both', text: withTasks(`  - { id: c, type: composite, workflow: v, ${BRANCH} }\n`), faults: ['3:conflicting_fields'] },
  { title: 'a composite with a strategy', text: withTasks(`  - { id: c, type: composite, strategy: race, ${BRANCH} }\n`), faults: ['3:unknown_field'] },
  { title: 'an aggregate of nothing', text: withTasks('  - { id: g, type: aggregate }\n'), faults: ['3:missing_field'] },
  { title: 'an aggregate with empty outputs', text: withTasks('  - { id: g, type: aggregate, outputs: {} }\n'), faults: ['3:invalid_value'] },
  ...['action: x.do', 'agent: bob', 'tool: saw', 'sleep: 5s', 'with: { a: 1 }'].map((field) => ({
    title: `an aggregate with ${field.split(':')[0]}`, text: withTasks(`  - { id: g, type: aggregate, outputs: { a: 1 }, ${field} }\n`), faults: ['3:unknown_field'],
  })),
  { title: 'an aggregate that merges and concatenates', text: withTasks('  - { id: g, type: aggregate, merge: { sources: [{}] }, concat: { sources: [[]] } }\n'), faults: ['3:conflicting_fields'] },
  { title: 'a merge with an unknown conflict rule', text: withTasks('  - { id: g, type: aggregate, merge: { sources: [{}], conflict: newest } }\n'), faults: ['3:invalid_value'] },
];
