import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Simulation, scripted } from '@foldwork/testing';
import { createDefinitionLanguage } from '../definition/definition-language';
import { echo } from './ninth-type.fixtures';
import { taskTypes } from './registry';

const ROOT = join(__dirname, '../../../..');
const OWN = new Set(['basic', 'router', 'parallel', 'collection', 'composite', 'aggregate', 'signal', 'wait']);

const sources = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.spec|\.bench|\.contract)\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('libs/testing') && !path.includes('node_modules') && !OWN.has(path.split('/').at(-2) ?? ''));

/** `wait` and `signal` are words of other vocabularies too, so a `case` of those says nothing. */
const DISTINGUISHES = /\btype\s*[!=]==?\s*'(basic|wait|signal|router|parallel|collection|composite|aggregate)'|case '(basic|router|parallel|collection|composite|aggregate)'/;

describe('a ninth task type', () => {
  it('[S3-05] is usable end to end by one registration, and nothing in the tree distinguishes task types', async () => {
    taskTypes.register(echo);
    const { parseDefinition } = createDefinitionLanguage(taskTypes.definitions());
    const { definition, diagnostics } = parseDefinition(
      'workflow: nine\ntasks:\n  - { id: both, type: parallel, tasks: [ { id: say, type: echo, text: hello, outputs: { loud: "${ output.said }" } }, { id: b, type: basic, action: step } ] }',
    );
    expect(diagnostics).toEqual([]);
    const sim = new Simulation({ actions: { step: scripted } });
    sim.define(definition as never);
    const runId = await sim.request('nine');
    await sim.settle();
    expect(await sim.task(runId, 'both/say')).toMatchObject({ status: 'completed', type: 'echo', output: { loud: 'hello' } });
    const guilty = [...sources('libs'), ...sources('apps')].filter((path) => DISTINGUISHES.test(readFileSync(path, 'utf8')));
    expect(guilty.map((path) => path.slice(ROOT.length + 1))).toEqual([]);
  });
});
