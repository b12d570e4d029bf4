import { loadActions, type Action, type ActionContext } from '@foldwork/actions';
import { parseDefinition } from '@foldwork/domain';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let readme: string;
beforeAll(async () => {
  readme = await readFile(join(__dirname, '../README.md'), 'utf8');
});

const block = (language: string): string => new RegExp('^```' + language + '\\n([\\s\\S]*?)^```', 'm').exec(readme)?.[1] ?? '';

describe('the README', () => {
  it('tells who it is for, what to type, how to write work, how to run it, what holds, how fast it is and where things are, in this order', () => {
    expect([...readme.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading)).toEqual([
      'Foldwork', 'Two commands', 'Write a workflow', 'Write an action', 'Four services', 'What is guaranteed when what fails', 'How fast', 'Where things are',
    ]);
    const [introduction, commands] = readme.split(/^## .+$/m);
    expect(introduction).toContain('```mermaid');
    expect([...(commands ?? '').matchAll(/^npm .+$/gm)].map(([line]) => line)).toEqual(['npm run demo', 'npm test']);
  });

  it.each(['yaml', 'js'])('needs about ten lines for it: %s', (language) => {
    expect(block(language).trim().split('\n').length).toBeLessThanOrEqual(11);
  });
});

describe('the workflow of the README', () => {
  it('is accepted without a remark', () => {
    const { definition, diagnostics } = parseDefinition(block('yaml'));
    expect(diagnostics).toEqual([]);
    expect(definition?.workflow).toBe('listing.publish');
  });

});

describe('the action of the README', () => {
  let folder: string;
  let market: Server;
  let asked: Promise<{ request: IncomingMessage; body: string }>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'foldwork-readme-'));
    await writeFile(join(folder, 'market.mjs'), block('js'));
    const question = Promise.withResolvers<{ request: IncomingMessage; body: string }>();
    asked = question.promise;
    market = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        question.resolve({ request, body });
        response.writeHead(201, { 'content-type': 'application/json', connection: 'close' }).end('{"id":"draft-7"}');
      });
    });
    await new Promise<void>((resolve) => market.listen(0, '127.0.0.1', resolve));
    process.env['MARKET_URL'] = `http://127.0.0.1:${(market.address() as AddressInfo).port}`;
  });

  afterAll(async () => {
    delete process.env['MARKET_URL'];
    await new Promise((resolve) => market.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });

  it('loads, is the one the workflow names, and sends its key along', async () => {
    const [action]: Action<never>[] = await loadActions(['market.mjs'], folder);
    expect(action).toMatchObject({ name: 'market.createDraft', effect: 'keyed' });
    expect(block('yaml')).toContain(`action: ${action?.name}, effect: ${action?.effect}`);

    const context: Pick<ActionContext, 'effectKey' | 'signal'> = { effectKey: 'key-1', signal: new AbortController().signal };
    const output = await action?.run({ title: 'A chair' } as never, context as ActionContext);
    const { request, body } = await asked;
    expect(output).toEqual({ draftId: 'draft-7' });
    expect(request.headers['idempotency-key']).toBe('key-1');
    expect(JSON.parse(body)).toEqual({ title: 'A chair' });
  });
});
