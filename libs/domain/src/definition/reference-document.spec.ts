import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { editorSchema, parseDefinition } from '../task-types/built-in-language';
import { taskTypes } from '../task-types/registry';
import { referenceDocument } from './reference-document';

const FILE = join(__dirname, '../../../../docs/reference/definition.md');
const fresh = (): string =>
  referenceDocument({
    schema: editorSchema(),
    types: taskTypes.definitions().map(({ type }) => type),
    functions: ['sum', 'min', 'max', 'sort', 'distinct', 'flatten', 'join'],
    example: readFileSync(join(__dirname, 'corpus/good.workflow.yaml'), 'utf8'),
  });

describe('definition reference', () => {
  if (process.env['UPDATE_DOCS'] === '1') {
    mkdirSync(dirname(FILE), { recursive: true });
    writeFileSync(FILE, fresh());
  }

  it('is up to date with the schema (UPDATE_DOCS=1 writes it)', () => {
    expect(readFileSync(FILE, 'utf8')).toBe(fresh());
  });

  it('names every task type, its fields, and nested ones', () => {
    const text = fresh();
    for (const { type, summary } of taskTypes.definitions()) expect(text).toContain(`## ${type}\n\n${summary}`);
    for (const field of ['`lane.limit`', '`retry.maximumAttempts`', '`verify.found`', '`approval.roles`', '`routes`', '`merge.conflict`', '`maxVisits`']) expect(text).toContain(field);
  });

  it('shows an example that is accepted', () => {
    const example = /```yaml\n([\s\S]*?)```/.exec(fresh())?.[1] ?? '';
    expect(parseDefinition(example).diagnostics).toEqual([]);
  });
});
