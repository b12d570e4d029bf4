import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { getLanguageService, type LanguageService } from 'yaml-language-server';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { editorSchema } from '../task-types/built-in-language';
import { withTasks } from './corpus/wrong-definition';

const ROOT = join(__dirname, '../../../..');
const GOOD = readFileSync(join(__dirname, 'corpus/good.workflow.yaml'), 'utf8');
const EXAMPLES = existsSync(join(ROOT, 'examples')) ? globSync('examples/**/*.workflow.yaml', { cwd: ROOT }) : [];

const languageServer = (): LanguageService => {
  const service = getLanguageService({
    schemaRequestService: () => Promise.resolve(JSON.stringify(editorSchema())),
    workspaceContext: { resolveRelativePath: (path) => path },
  });
  service.configure({ validate: true, hover: true, schemas: [{ uri: 'workflow.schema.json', fileMatch: ['*.workflow.yaml'] }] });
  return service;
};
const service = languageServer();

/** The server keeps what it parsed by address, so each document gets its own. */
const documentOf = (text: string): TextDocument => TextDocument.create(`file:///${++documents}.workflow.yaml`, 'yaml', 1, text);
let documents = 0;

/** `line: message`, lines from 1. */
const faultsOf = async (text: string): Promise<string[]> => {
  const found = await service.doValidation(documentOf(text), false);
  return found.map(({ range, message }) => `${range.start.line + 1}: ${message}`);
};

describe('editor schema', () => {
  it('is draft-07 and compiles', () => {
    expect(editorSchema()['$schema']).toContain('draft-07');
    expect(new Ajv({ strict: false }).compile(editorSchema())).toBeInstanceOf(Function);
  });

  it('lets a YAML language server accept a document with all eight types', async () => expect(await faultsOf(GOOD)).toEqual([]));

  it.each(EXAMPLES.length > 0 ? EXAMPLES : ['libs/domain/src/definition/corpus/good.workflow.yaml'])('lets it accept %s', async (file) => {
    expect(await faultsOf(readFileSync(join(ROOT, file), 'utf8'))).toEqual([]);
  });

  it.each([
    ['a mistyped field', GOOD.replace('title: Publish', 'titel: Publish'), /^2: Property titel is not allowed/],
    ['a mistyped type', withTasks('  - { id: a, type: basci, action: x }\n'), /^3: .*Valid values: .*basic/],
    ['a missing action', withTasks('  - { id: a, type: basic }\n'), /^3: Missing property "action"/],
    ['a missing id', withTasks('  - { type: basic, action: x }\n'), /^3: Missing property "id"/],
    ['a field of another type', withTasks('  - { id: a, type: composite, strategy: race, tasks: [{ id: b, type: basic, action: x }] }\n'), /^3: Property strategy is not allowed/],
    ['an unknown strategy', withTasks('  - { id: a, type: parallel, strategy: fastest, tasks: [{ id: b, type: basic, action: x }] }\n'), /^3: .*Valid values: .*race/],
    ['a duration that is none', withTasks('  - { id: a, type: basic, action: x, timeout: soon }\n'), /^3: /],
    ['attempts as text', withTasks('  - { id: a, type: basic, action: x, retry: { maximumAttempts: many } }\n'), /^3: Incorrect type/],
    ['a fault deep inside', withTasks('  - id: p\n    type: parallel\n    tasks:\n      - id: c\n        type: collection\n        items: input.x\n        each:\n          - { id: e, type: basic, acton: x }\n'), /^10: /],
  ])('lets it find %s', async (_title, text, expected) => {
    expect((await faultsOf(text)).join('\n')).toMatch(new RegExp(expected.source, 'm'));
  });

  it('describes a field where the cursor is', async () => {
    const text = withTasks('  - { id: a, type: basic, action: x, heartbeat: 5s }\n');
    const document = documentOf(text);
    const hover = await service.doHover(document, document.positionAt(text.indexOf('heartbeat') + 2));
    expect(JSON.stringify(hover?.contents)).toContain('Longest silence of a running attempt');
  });
});
