import { parseDefinition } from '../../task-types/built-in-language';
import type { ActionCatalog } from '../task-type.definition';
import { FIELDS } from './fields';
import { FLOW } from './flow';
import { REFERENCES } from './references';
import { SYNTAX } from './syntax';
import { TASK_TYPE_RULES } from './task-types';
import type { WrongDefinition } from './wrong-definition';

const ACTIONS: ActionCatalog = new Map([
  ['x.do', { effect: 'none' }],
  ['x.find', { effect: 'none' }],
  ['x.undo', { effect: 'idempotent' }],
  ['market.upload', { effect: 'idempotent' }],
  ['market.once', { effect: 'once' }],
  ['market.find', { effect: 'none' }],
]);

const CORPUS: readonly WrongDefinition[] = [...SYNTAX, ...FIELDS, ...TASK_TYPE_RULES, ...FLOW, ...REFERENCES];

describe('wrong definitions', () => {
  it.each(CORPUS.map((wrong) => [wrong.title, wrong] as const))('%s', (_title, wrong) => {
    const { text, faults, hint } = wrong;
    const begin = performance.now();
    const { definition, diagnostics } = parseDefinition(text, { format: wrong.format ?? 'yaml', actions: ACTIONS });
    expect(performance.now() - begin).toBeLessThan(2000);
    expect(diagnostics.map(({ line, code }) => `${line}:${code}`)).toEqual(faults);
    expect(definition === undefined).toBe(diagnostics.some(({ severity }) => severity === 'error'));
    if (hint !== undefined) expect(diagnostics[0]?.hint).toContain(hint);
  });

  it('are at least 60, each with its own title', () => {
    expect(CORPUS.length).toBeGreaterThanOrEqual(60);
    expect(new Set(CORPUS.map(({ title }) => title)).size).toBe(CORPUS.length);
  });
});
