import { GatewayFixture, submit } from './gateway-fixture';

/** Requests that are HTTP and yet nothing this API speaks of: each is answered clearly, and by no fault of the server. */
let fixture: GatewayFixture;
let runId: string;
beforeAll(async () => {
  fixture = await GatewayFixture.start();
  runId = (await submit(fixture)).body.runId;
});
afterAll(() => fixture.close());

const paths = async (): Promise<string[]> => {
  const templates = (await fixture.openApi()).calls.map((call) => call.split(' ')[1] ?? '');
  return [...new Set(templates)].map((path) => path.replace('{id}', runId).replace('{task}', 'first').replace('{name}', 'demo.ordered').replace('{type}', 'wait'));
};

/** Not by the fixture, which holds an answer against the description of its call; there is none of these. */
const answerTo = async (method: string, path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(`${fixture.gateway.url}${path}`, { method, headers: { authorization: `Bearer ${fixture.keys.admin}`, ...headers } });
  const text = await response.text();
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true;
  const isClear = response.status < 400 || (response.status < 500 && isProblem && (method === 'HEAD' || typeof JSON.parse(text).detail === 'string'));
  return { status: response.status, isClear };
};
type Odd = Awaited<ReturnType<typeof answerTo>> & { readonly call: string };

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PATCH', 'POST', 'PUT', 'PROPFIND'];

it('every path answers every method', async () => {
  const odd: Odd[] = [];
  for (const path of await paths()) for (const method of METHODS) odd.push({ call: `${method} ${path}`, ...(await answerTo(method, path)) });
  expect(odd.filter(({ isClear }) => !isClear)).toEqual([]);
  expect(odd.filter(({ call, status }) => /^(OPTIONS|DELETE|PATCH|PROPFIND)/.test(call) && status !== 404)).toEqual([]);
});

const SPELLINGS: Readonly<Record<string, (path: string) => string>> = {
  'a slash at the end': (path) => `${path}/`,
  'two slashes in front': (path) => `/${path}`,
  'two slashes within': (path) => path.replace(/\/([^/]+)$/, '//$1'),
  'an encoded slash at the end': (path) => `${path}%2F`,
  'an encoded slash within': (path) => path.replace(/(?<=.)\/([^/]+)$/, '%2F$1'),
  'U+0000': (path) => `${path}%00`,
  'a parameter of the path': (path) => `${path};x=1`,
};

it.each(Object.entries(SPELLINGS))('%s leads nowhere, clearly', async (_what, spell) => {
  for (const path of await paths()) {
    const spelled = spell(path);
    if (spelled === path) continue;
    const answers = await Promise.all(['GET', 'POST', 'PUT'].map(async (method) => ({ call: `${method} ${spelled}`, ...(await answerTo(method, spelled)) })));
    expect(answers.filter(({ isClear, status }) => !isClear || status < 400)).toEqual([]);
  }
});

const CONDITIONS: readonly Record<string, string>[] = [
  { 'if-match': '"99"' }, { 'if-none-match': '*' }, { 'if-none-match': 'W/"1", nonsense' }, { 'if-modified-since': 'x' },
  { 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' }, { range: 'bytes=5-1' }, { 'if-range': '"x"' }, { accept: 'text/html' }, { 'accept-encoding': 'gzip' },
];

it('conditions, ranges and wishes that nobody promised to heed change no answer', async () => {
  for (const path of ['/livez', '/orchestrator/runs', `/orchestrator/runs/${runId}`, `/orchestrator/runs/${runId}/events`]) {
    for (const method of ['GET', 'HEAD']) {
      const answers = await Promise.all(CONDITIONS.map(async (headers) => ({ headers, ...(await answerTo(method, path, headers)) })));
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    }
  }
});
