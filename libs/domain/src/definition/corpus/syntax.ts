import { withTasks, type WrongDefinition } from './wrong-definition';

const TASK = '  - { id: a, type: basic, action: x.do }\n';
const bomb = ['a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]', ...'bcdefghi'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[index]}`).join(', ')}]`)].join('\n');
const nested = (depth: number): string => {
  let lines = `${'  '.repeat(2 * depth + 1)}- { id: t${depth}, type: basic, action: x.do }\n`;
  for (let level = depth - 1; level >= 0; level--) {
    const indent = '  '.repeat(2 * level + 1);
    lines = `${indent}- id: t${level}\n${indent}  type: composite\n${indent}  tasks:\n${lines}`;
  }
  return lines;
};

export const SYNTAX: readonly WrongDefinition[] = [
  { title: 'an empty text', text: '', faults: ['1:wrong_type'] },
  { title: 'a text that is only a scalar', text: 'hello', faults: ['1:wrong_type'] },
  { title: 'a list', text: '- a\n- b\n', faults: ['1:wrong_type'] },
  { title: 'broken YAML', text: `workflow: w\ntasks: [\n${TASK}`, faults: ['3:yaml_syntax', '4:yaml_syntax'] },
  { title: 'a tab as indent', text: 'workflow: w\ntasks:\n\t- id: a\n', faults: ['3:yaml_syntax'] },
  { title: 'two documents', text: `workflow: w\ntasks:\n${TASK}---\nworkflow: v\n`, faults: ['4:yaml_syntax'] },
  { title: 'a key twice in the document', text: `workflow: w\nworkflow: v\ntasks:\n${TASK}`, faults: ['2:duplicate_key'] },
  { title: 'a key twice in a task', text: withTasks('  - id: a\n    type: basic\n    action: x.do\n    type: basic\n'), faults: ['6:duplicate_key'] },
  { title: 'a custom tag', text: withTasks('  - { id: a, type: basic, action: !env SECRET }\n'), faults: ['3:yaml_tag'] },
  { title: 'a tag that makes objects', text: `workflow: !!js/function "function () {}"\ntasks:\n${TASK}`, faults: ['1:yaml_tag'] },
  { title: 'binary data', text: withTasks('  - { id: a, type: basic, action: x.do, with: !!binary aGVsbG8= }\n'), faults: ['3:yaml_tag'] },
  { title: 'an alias to nothing', text: withTasks('  - { id: a, type: basic, action: x.do, with: *nothing }\n'), faults: ['3:yaml_alias'] },
  { title: 'an alias bomb', text: `${bomb}\nworkflow: w\ntasks: *i\n`, faults: ['2:yaml_alias'] },
  { title: 'an alias to what contains it', text: withTasks('  - &p { id: p, type: parallel, tasks: [*p] }\n'), faults: ['3:cyclic'] },
  { title: 'a prototype key', text: withTasks('  - { id: a, type: basic, action: x.do, with: { __proto__: { admin: true } } }\n'), faults: ['3:prototype_key'] },
  { title: 'a key named constructor', text: withTasks('  - id: a\n    type: basic\n    action: x.do\n    with:\n      constructor: 1\n'), faults: ['7:prototype_key'] },
  { title: 'a key that is a list', text: `workflow: w\n? [a, b]\n: 1\ntasks:\n${TASK}`, faults: ['2:wrong_type'] },
  { title: 'a merge key', text: `workflow: w\ntasks:\n  - &a { id: a, type: basic, action: x.do }\n  - { <<: *a, id: b }\n`, faults: ['4:yaml_merge'] },
  { title: 'infinity', text: withTasks('  - { id: a, type: basic, action: x.do, with: .inf }\n'), faults: ['3:not_json'] },
  { title: 'a lone surrogate', text: withTasks('  - { id: a, type: basic, action: x.do, with: "\\ud800" }\n'), faults: ['3:not_json'] },
  { title: 'more than 256 KiB', text: withTasks(`  - { id: a, type: basic, action: x.do, with: "${'x'.repeat(262_144)}" }\n`), faults: ['1:too_large'] },
  { title: 'more than 256 KiB in bytes, not in characters', text: withTasks(`  - { id: a, type: basic, action: x.do, with: "${'€'.repeat(90_000)}" }\n`), faults: ['1:too_large'] },
  { title: 'brackets without end', text: `workflow: w\ntasks: ${'['.repeat(100_000)}`, faults: ['1:too_deep'] },
  { title: 'data nested 100 levels deep', text: withTasks(`  - { id: a, type: basic, action: x.do, with: ${'['.repeat(100)}${']'.repeat(100)} }\n`), faults: ['3:too_deep'] },
  { title: 'tasks nested 21 levels deep', text: withTasks(nested(21)), faults: [`${3 + 20 * 3}:too_deep`] },
  { title: 'JSON with a trailing comma', text: '{"workflow": "w",\n "tasks": [],}', format: 'json', faults: ['1:json_syntax'] },
  { title: 'JSON with a key twice', text: '{"workflow": "w",\n "workflow": "v",\n "tasks": [{"id": "a", "type": "basic", "action": "x.do"}]}', format: 'json', faults: ['2:duplicate_key'] },
  { title: 'JSON that is not closed', text: '{"workflow": "w",\n "tasks": [', format: 'json', faults: ['2:json_syntax'] },
];
