import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExactNumber, type Json } from '@foldwork/events/contracts';
import { z } from 'zod';
import { checkDefinition, parseDefinition } from '../task-types/built-in-language';
import { taskTypes } from '../task-types/registry';
import { withTasks } from './corpus/wrong-definition';
import type { Definition } from './definition';
import { definitionHash } from './definition-hash';
import { createDefinitionLanguage } from './definition-language';
import { mergeRetry } from './merge-retry';
import { commonFields, strict } from './schema-fields';
import type { TaskTypeDefinition } from './task-type.definition';

/** All eight types and nearly every field. */
const EVERYTHING = readFileSync(join(__dirname, 'corpus/good.workflow.yaml'), 'utf8');

const accepted = (text: string): Definition => {
  const { definition, diagnostics } = parseDefinition(text);
  expect(diagnostics).toEqual([]);
  if (!definition) throw new Error('refused');
  return definition;
};
const codes = (text: string): string[] => parseDefinition(text).diagnostics.map(({ code }) => code);

describe('parseDefinition', () => {
  it('says in its own words what the YAML parser tells its programmer', () => {
    const words = (text: string) => parseDefinition(text).diagnostics.map(({ message }) => message);
    expect(words('workflow: w\n"workflow": v\n')).toEqual(['The key "workflow" is there twice']);
    expect(words(withTasks('  - { id: a, type: basic, action: x.do }\n---\nworkflow: v\n'))).toEqual(['A file holds one workflow, and a second document begins here']);
    expect(words('workflow: w\n? [a]\n: 1\n')).toEqual(['A key must be text']);
  });

  it('accepts a document that uses all eight types and normalises it', () => {
    const definition = accepted(EVERYTHING);
    expect(definition).toMatchObject({ timeout: 93_600_000, breakers: { market: { recovery: 30_000 } }, retry: { initialInterval: 2000 } });
    const [draft, images, , , choose, hold] = definition.tasks;
    expect(draft).toMatchObject({ timeout: 90_000, retry: { maximumAttempts: 3 } });
    expect(draft).not.toHaveProperty('retries');
    expect(images).toMatchObject({ each: [{ id: 'upload' }] });
    expect(choose).toMatchObject({ routes: { true: 'hold', '2': { id: 'inline', type: 'basic' } } });
    expect(hold).toMatchObject({ processor: { id: 'processor' }, timeout: '${ input.wait }' });
  });

  it('is a fixed point: what it gives is accepted again and is the same', () => {
    const definition = accepted(EVERYTHING);
    const again = checkDefinition(JSON.parse(JSON.stringify(definition)));
    expect(again.diagnostics).toEqual([]);
    expect(again.definition).toEqual(definition);
  });

  it('gives one hash for YAML, JSON, another order of keys and another spelling of durations', () => {
    const yaml = accepted('workflow: w\ntasks:\n  - { id: a, type: basic, action: x, timeout: 1m30s, retries: 1 }\n');
    const json = parseDefinition('{"tasks": [{"timeout": 90000, "retry": {"maximumAttempts": 2}, "action": "x", "type": "basic", "id": "a"}], "workflow": "w"}', { format: 'json' });
    const other = accepted('workflow: w\ntasks:\n  - { id: a, type: basic, action: x, timeout: 91s, retries: 1 }\n');
    expect(json.diagnostics).toEqual([]);
    expect(json.definition && definitionHash(json.definition)).toBe(definitionHash(yaml));
    expect(definitionHash(other)).not.toBe(definitionHash(yaml));
    expect(definitionHash(yaml)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('keeps exact numbers of the text', () => {
    const definition = accepted('workflow: w\ntasks:\n  - { id: a, type: basic, action: x, with: { id: 9007199254740993, price: 0.12345678901234567890 } }\n');
    expect(definition.tasks[0]).toMatchObject({ with: { id: new ExactNumber('9007199254740993'), price: new ExactNumber('0.12345678901234567890') } });
    expect(definitionHash(definition)).not.toBe(definitionHash(accepted('workflow: w\ntasks:\n  - { id: a, type: basic, action: x, with: { id: 9007199254740992, price: 0.12345678901234567890 } }\n')));
  });

  it('expands aliases that stay within bounds', () => {
    const definition = accepted('workflow: w\nenv: &env { A: "1" }\ntasks:\n  - { id: a, type: basic, action: x, env: *env }\n');
    expect(definition.tasks[0]).toMatchObject({ env: { A: '1' } });
  });

  it('gives a definition in spite of warnings', () => {
    const { definition, diagnostics } = parseDefinition('workflow: w\ntasks:\n  - { id: a, type: wait, waitFor: go }\n');
    expect(definition).toBeDefined();
    expect(diagnostics).toEqual([{ code: 'wait_without_timeout', severity: 'warning', message: 'This wait may last for ever', hint: 'Add `timeout`', line: 3, column: 5, pointer: '/tasks/0' }]);
  });

  it('[S3-29] refuses a parallel without child, without id, with an id twice, an unknown strategy, negative maxWorkers, itself inside; nested ones are accepted', () => {
    const branch = '{ id: b, type: basic, action: x }';
    const parallel = (fields: string): string => withTasks(`  - { id: p, type: parallel, ${fields} }\n`);
    expect(codes(parallel('tasks: []'))).toEqual(['invalid_value']);
    expect(codes(parallel('title: x'))).toEqual(['missing_field']);
    expect(codes(parallel('tasks: [{ type: basic, action: x }]'))).toEqual(['missing_field']);
    expect(codes(parallel(`tasks: [${branch}, ${branch}]`))).toEqual(['duplicate_id']);
    expect(codes(parallel(`tasks: [${branch}], strategy: all_of_them`))).toEqual(['invalid_value']);
    expect(codes(parallel(`tasks: [${branch}], maxWorkers: -1`))).toEqual(['invalid_value']);
    expect(codes(parallel('tasks: [{ id: p, type: basic, action: x }]'))).toEqual(['self_reference']);
    expect(codes(parallel('tasks: [{ id: q, type: parallel, tasks: [{ id: p, type: basic, action: x }] }]'))).toEqual(['self_reference']);
    expect(codes(withTasks('  - &p { id: p, type: parallel, tasks: [{ id: q, type: parallel, tasks: [*p] }] }\n'))).toEqual(['cyclic']);
    expect(codes(parallel(`tasks: [{ id: q, type: parallel, tasks: [{ id: r, type: parallel, tasks: [${branch}] }] }, ${branch}]`))).toEqual([]);
  });

  it('[S3-40] refuses a composite without child or with a strategy; nested containers are accepted', () => {
    const composite = (fields: string): string => withTasks(`  - { id: c, type: composite, ${fields} }\n`);
    const child = '{ id: b, type: basic, action: x }';
    expect(codes(composite('title: x'))).toEqual(['missing_field']);
    expect(codes(composite('tasks: []'))).toEqual(['invalid_value']);
    expect(codes(composite(`tasks: [${child}], strategy: wait_all`))).toEqual(['unknown_field']);
    expect(codes(composite(`tasks: [{ id: d, type: composite, tasks: [{ id: p, type: parallel, tasks: [{ id: l, type: collection, items: input.x, each: ${child} }] }] }]`))).toEqual([]);
  });

  it('points at the character inside quoted, folded and block texts', () => {
    const place = (text: string): string => {
      const [fault] = parseDefinition(withTasks(`  - id: a\n    type: basic\n    action: x\n${text}\n`)).diagnostics;
      return `${fault?.line}:${fault?.column} ${fault?.pointer}`;
    };
    expect(place('    when: 1 == nope')).toBe('6:16 /tasks/0/when');
    expect(place('    with: "${ nope }"')).toBe('6:15 /tasks/0/with');
    expect(place("    with: 'it''s ${ nope }'")).toBe('6:21 /tasks/0/with');
    expect(place('    with: "a\\tb\\"c ${ nope }"')).toBe('6:23 /tasks/0/with');
    expect(place('    with:\n      deep: [0, "${ nope }"]')).toBe('7:21 /tasks/0/with/deep/1');
    expect(place('    with: |\n      one\n        two ${ nope }')).toBe('8:16 /tasks/0/with');
    expect(place('    with: >\n      one\n      two ${ nope }')).toBe('8:14 /tasks/0/with');
    expect(place('    when: >-\n      1 ==\n      nope')).toBe('8:7 /tasks/0/when');
    expect(place('    when: 1 ==\n      nope')).toBe('7:7 /tasks/0/when');
  });

  it('reports the same faults for a JS value, without lines', () => {
    const value = { workflow: 'w', tasks: [{ id: 'a', type: 'basic', action: 'x', with: '${ nope }', tool: 1 }] };
    expect(checkDefinition(value).diagnostics.map(({ code, pointer, line, column }) => [code, pointer, line, column])).toEqual([
      ['unknown_field', '/tasks/0/tool', 1, 1],
      ['unknown_variable', '/tasks/0/with', 1, 1],
    ]);
  });

  it.each<[string, () => unknown, string]>([
    ['undefined', () => undefined, 'not_json'],
    ['a function inside', () => ({ workflow: 'w', tasks: [{ id: 'a', type: 'basic', action: () => 1 }] }), 'not_json'],
    ['a date', () => ({ workflow: 'w', tasks: [new Date(0)] }), 'not_json'],
    ['a bigint', () => ({ workflow: 'w', tasks: [{ with: 1n }] }), 'not_json'],
    ['a cycle', () => {
      const tasks: unknown[] = [];
      tasks.push({ id: 'p', type: 'parallel', tasks });
      return { workflow: 'w', tasks };
    }, 'cyclic'],
    ['a prototype key', () => JSON.parse('{"workflow":"w","tasks":[{"__proto__":{}}]}') as unknown, 'prototype_key'],
    ['a NUL', () => ({ workflow: 'w', title: 'a\0b', tasks: [] }), 'not_json'],
    ['1e400', () => ({ workflow: 'w', tasks: [{ with: Infinity }] }), 'not_json'],
    ['null', () => null, 'wrong_type'],
  ])('refuses %s', (_title, value, code) => {
    const { definition, diagnostics } = checkDefinition(value());
    expect(definition).toBeUndefined();
    expect(diagnostics.map((diagnostic) => diagnostic.code)).toContain(code);
  });

  it('lets a loop refer to what an earlier round did', () => {
    const loop = `  - { id: a, type: basic, action: x, maxVisits: 5, with: '\${ has(tasks.b.output) ? tasks.b.output : null }' }\n  - { id: b, type: basic, action: x, onSuccess: { next: a } }\n`;
    expect(codes(withTasks(loop))).toEqual([]);
  });

  it('checks in linear time: 3,000 tasks in well under a second', () => {
    const tasks = Array.from({ length: 3000 }, (_, n) => ({ id: `t${n}`, type: 'basic', action: 'x', with: n === 0 ? 0 : `\${ tasks.t${n - 1}.output }` }));
    const begin = performance.now();
    expect(checkDefinition({ workflow: 'w', tasks }).diagnostics).toEqual([]);
    expect(performance.now() - begin).toBeLessThan(1500);
  });
});

describe('createDefinitionLanguage', () => {
  interface PauseTask {
    readonly id: string;
    readonly type: 'pause';
    readonly mood: string;
  }
  const pause: TaskTypeDefinition<PauseTask> = {
    type: 'pause',
    summary: 'A ninth type.',
    schema: () => strict({ ...commonFields(), type: z.literal('pause'), mood: z.string() }),
    expressions: () => [{ at: ['mood'], kind: 'template' }],
  };

  it('takes a ninth type with its own fields and expressions, and lets it be nested', () => {
    const language = createDefinitionLanguage([...taskTypes.definitions(), pause]);
    const text = (mood: string): string => withTasks(`  - { id: p, type: parallel, tasks: [{ id: a, type: pause, mood: '${mood}' }] }\n`);
    expect(language.parseDefinition(text('${ input.mood }')).diagnostics).toEqual([]);
    expect(language.parseDefinition(text('${ inptu.mood }')).diagnostics).toMatchObject([{ code: 'unknown_variable', line: 3 }]);
    expect(parseDefinition(text('x')).diagnostics).toMatchObject([{ code: 'unknown_task_type' }]);
  });
});

describe('mergeRetry', () => {
  it('lets the task override the document field by field', () => {
    expect(mergeRetry({ maximumAttempts: 5, initialInterval: 10 }, undefined, { maximumAttempts: 2 })).toEqual({ maximumAttempts: 2, initialInterval: 10 } satisfies Record<string, Json>);
  });
});
