import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { DEFINITION, GatewayFixture, submit, type Call } from './gateway-fixture';

/** What no call that takes a body can read: each answers in the words that its own description has for it. */
let fixture: GatewayFixture;
let runId: string;
beforeAll(async () => {
  fixture = await GatewayFixture.start();
  runId = (await submit(fixture)).body.runId;
});
afterAll(() => fixture.close());

const writingCalls = async (): Promise<[method: string, path: string][]> =>
  (await fixture.openApi()).calls.map((call) => call.split(' ') as [string, string]).filter(([method]) => method !== 'GET');
const pathOf = (template: string): string =>
  template.replace('{id}', runId).replace('{task}', 'first').replace('{name}', DEFINITION.workflow).replace('{type}', 'wait');
const isDocument = (path: string): boolean => path.startsWith('/orchestrator/workflows');

const typed = (type: string): Record<string, string> => ({ 'content-type': type });
const BODIES: readonly [what: string, call: Call, status: number, error: string][] = [
  ['bytes that are no UTF-8', { raw: Buffer.from([0x7b, 0xff, 0x7d]) }, 400, 'invalid_unicode'],
  ['a form', { raw: 'a=b', headers: typed('application/x-www-form-urlencoded') }, 415, 'unsupported_media_type'],
  ['a body that is packed', { raw: gzipSync('{}'), headers: { ...typed('application/json'), 'content-encoding': 'gzip' } }, 415, 'unsupported_media_type'],
  ['a charset other than UTF-8', { raw: '{"reason":"x"}', headers: typed('application/json; charset=latin1') }, 415, 'unsupported_media_type'],
  ['a body over 1 MiB', { raw: `{"reason":"${'x'.repeat(1_048_576)}"}` }, 413, 'body_too_large'],
];

it.each(BODIES)('every call that takes a body refuses %s', async (_what, call, status, error) => {
  for (const [method, template] of await writingCalls()) {
    const answer = await fixture.call(method, pathOf(template), { ...call, key: fixture.keys.admin });
    expect([method, template, answer.status, answer.body.error]).toEqual([method, template, status, error]);
  }
});

it('every call that takes JSON refuses what is none, a key twice, a prototype key, nesting without end, and what is not an object', async () => {
  const texts: readonly [text: string, status: number, code: string][] = [
    ['{"reason":', 400, 'malformed_json'],
    ['{"reason":"a","reason":"b"}', 422, 'duplicate_key'],
    ['{"reason":{"__proto__":1}}', 422, 'prototype_key'],
    ['['.repeat(100_000) + ']'.repeat(100_000), 422, 'too_deep'],
    ['["reason"]', 422, 'wrong_type'],
    ['{"reason":"\\ud800"}', 422, 'invalid_unicode'],
  ];
  for (const [method, template] of (await writingCalls()).filter(([, path]) => !isDocument(path))) {
    for (const [raw, status, code] of texts) {
      const { body, ...answer } = await fixture.call(method, pathOf(template), { raw, key: fixture.keys.admin });
      expect([method, template, answer.status, body.faults?.[0].code ?? body.error]).toEqual([method, template, status, code]);
    }
  }
});

it('every call that takes a definition refuses what is none, at the place that is wrong', async () => {
  const yaml = typed('application/yaml');
  const head = `workflow: ${DEFINITION.workflow}\ntasks:\n  - { id: a, type: basic, action: core.log }\n`;
  const bomb = ['a: &a0 [x, x, x, x, x, x, x, x, x]', ...Array.from({ length: 9 }, (_, n) => `b${n}: &a${n + 1} [${Array(9).fill(`*a${n}`).join()}]`)].join('\n');
  const texts: readonly [text: string, headers: Record<string, string>, code: string][] = [
    [`${head}workflow: twice\n`, yaml, 'duplicate_key'],
    [`${head}title: [\n`, yaml, 'yaml_syntax'],
    [`${head}title: !!js/function x\n`, yaml, 'yaml_tag'],
    [`${head}${bomb}\n`, yaml, 'yaml_alias'],
    [`${head}input: { a: ${'['.repeat(100)}${']'.repeat(100)} }\n`, yaml, 'too_deep'],
    [`${head}input: { __proto__: { a: 1 } }\n`, yaml, 'prototype_key'],
    [`${head}title: "\\uD800"\n`, yaml, 'not_json'],
    [`${head}title: ${'x'.repeat(262_144)}\n`, yaml, 'too_large'],
    ['{"workflow":', typed('application/json'), 'json_syntax'],
    ['{"workflow":"a","workflow":"b"}', typed('application/json'), 'duplicate_key'],
  ];
  const seen: unknown[] = [];
  for (const [raw, headers] of texts) {
    const put = await fixture.call('PUT', `/orchestrator/workflows/${DEFINITION.workflow}`, { raw, headers });
    const check = await fixture.call('POST', '/orchestrator/workflows/check', { raw, headers });
    const codesOf = (diagnostics: { code: string }[]): string[] => diagnostics.map(({ code }) => code);
    seen.push([put.status, codesOf(put.body.faults)[0], put.body.faults[0].line, check.status, check.body.valid, codesOf(check.body.diagnostics)[0]]);
  }
  expect(seen).toEqual(texts.map(([, , code]) => [422, code, expect.any(Number), 200, false, code]));
});

it('says that nothing moved when a definition is published again', async () => {
  const put = () => fixture.call('PUT', `/orchestrator/workflows/${DEFINITION.workflow}`, { json: DEFINITION });
  const [first, again] = [await put(), await put()];
  expect([first.status, again.status, again.body.hash]).toEqual([201, 200, first.body.hash]);
});

it('answers an address that cannot be read with a problem, too', async () => {
  const paths = { '/orchestrator/runs/%zz': [400, 'bad_request'], '/orchestrator/workflows/%c3': [400, 'bad_request'], [`/orchestrator/runs/${'x'.repeat(3_000)}`]: [414, 'uri_too_long'] };
  for (const [path, expected] of Object.entries(paths)) {
    const { status, body } = await fixture.call('GET', path); // which refuses what is no problem
    expect([status, body.error]).toEqual(expected);
  }
});

it.each(['application/json;charset=utf-8', 'APPLICATION/JSON; Charset="UTF-8"', 'application/json; charset=us-ascii', 'application/json; profile=x', 'application/json;'])('takes a body as %s', async (type) => {
  expect((await submit(fixture, { headers: typed(type) })).status).toBe(202);
});

it.each([['content-length: 100', '{"def'], ['transfer-encoding: chunked', '5\r\n{"def\r\n']])('a client that leaves in the middle of its body (%s) is no fault of the server', async (length, part) => {
  const socket = connect(Number(new URL(fixture.gateway.url).port), '127.0.0.1');
  socket.write(`POST /orchestrator/runs HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-type: application/json\r\n${length}\r\nauthorization: Bearer ${fixture.keys.operator}\r\n\r\n${part}`);
  await once(socket, 'data'); // it is being read
  socket.destroy();
  for (let calls = 0; calls < 5; calls += 1) expect((await submit(fixture)).status).toBe(202);
  expect(fixture.logLines.filter((line) => line.includes('request_failed'))).toEqual([]);
});
