import { DEFINITION, GatewayFixture, submit, type Call } from './gateway-fixture';

let fixture: GatewayFixture;
let runId: string;
beforeAll(async () => {
  fixture = await GatewayFixture.start();
  runId = (await submit(fixture)).body.runId;
});
afterAll(() => fixture.close());

const RUNS = '/orchestrator/runs';
const body = (input: unknown): string => JSON.stringify({ definition: DEFINITION, input });
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const bytes = (...parts: (string | number[])[]): Uint8Array => Buffer.concat(parts.map((part) => Buffer.from(part as string)));
const noInputSchema = JSON.stringify({ workflow: 'w', tasks: [{ id: 'a', type: 'basic', action: 'core.log' }] });

interface BadRequest {
  readonly title: string;
  readonly call: Call;
  readonly status: number;
  readonly error: string;
  /** Code and pointer of a fault that must be there. */
  readonly fault?: readonly [code: string, pointer: string];
}

const submissions: readonly BadRequest[] = [
  { title: 'no JSON', call: { raw: '{"definition":' }, status: 400, error: 'malformed_json' },
  { title: 'two JSON documents', call: { raw: '{} {}' }, status: 400, error: 'malformed_json' },
  { title: 'bytes that are no UTF-8', call: { raw: bytes('{"input":"', [0xff, 0xfe], '"}') }, status: 400, error: 'invalid_unicode' },
  { title: 'a lone surrogate', call: { raw: `{"definition":${noInputSchema},"input":{"a":"\\ud800"}}` }, status: 422, error: 'validation_failed', fault: ['invalid_unicode', '/input/a'] },
  { title: 'the character U+0000', call: { raw: `{"definition":${noInputSchema},"input":{"a":["\\u0000"]}}` }, status: 422, error: 'validation_failed', fault: ['invalid_unicode', '/input/a/0'] },
  { title: 'a lone surrogate in a key', call: { raw: `{"definition":${noInputSchema},"input":{"\\udc00":1}}` }, status: 422, error: 'validation_failed', fault: ['invalid_unicode', '/input/\uFFFD'] },
  { title: '__proto__', call: { raw: '{"definition":{},"input":{"a":{"__proto__":{"admin":true}}}}' }, status: 422, error: 'validation_failed', fault: ['prototype_key', '/input/a/__proto__'] },
  { title: '__proto__ spelled with an escape', call: { raw: '{"input":{"\\u005f_proto__":1}}' }, status: 422, error: 'validation_failed', fault: ['prototype_key', '/input/__proto__'] },
  { title: '__proto__ at the top', call: { raw: '{"__proto__":{"workflow":"x"}}' }, status: 422, error: 'validation_failed', fault: ['prototype_key', '/__proto__'] },
  { title: 'constructor.prototype', call: { raw: '{"input":{"constructor":{"prototype":{"a":1}}}}' }, status: 422, error: 'validation_failed', fault: ['prototype_key', '/input/constructor'] },
  { title: 'a key twice', call: { raw: `{"definition":${noInputSchema},"input":{"a":1,"a":2}}` }, status: 422, error: 'validation_failed', fault: ['duplicate_key', ''] },
  { title: 'a key twice, one with an escape', call: { raw: `{"definition":${noInputSchema},"input":{"a":1,"\\u0061":2}}` }, status: 422, error: 'validation_failed', fault: ['duplicate_key', ''] },
  { title: 'a key twice at the top', call: { raw: `{"definition":${noInputSchema},"input":1,"input":2}` }, status: 422, error: 'validation_failed', fault: ['duplicate_key', ''] },
  { title: 'a field in both spellings', call: { raw: '{"workflow":"a","input":1,"_input":2}' }, status: 422, error: 'validation_failed', fault: ['unknown_field', '/_input'] },
  { title: 'nesting of 65', call: { raw: `{"definition":${noInputSchema},"input":${nested(64)}}` }, status: 422, error: 'validation_failed', fault: ['too_deep', ''] },
  { title: 'nesting of 400,000', call: { raw: nested(400_000) }, status: 422, error: 'validation_failed', fault: ['too_deep', ''] },
  { title: 'a number beyond a double', call: { raw: `{"definition":${noInputSchema},"input":{"n":1e400}}` }, status: 422, error: 'validation_failed', fault: ['number_out_of_range', '/input/n'] },
  { title: 'a body over 1 MiB', call: { raw: body({ s: 'x'.repeat(1_048_600) }) }, status: 413, error: 'body_too_large' },
  { title: 'an input over 256 KiB', call: { raw: body({ s: 'x'.repeat(262_144) }) }, status: 413, error: 'input_too_large' },
  { title: 'an input over 256 KiB in bytes, not in characters', call: { raw: body({ s: 'ä'.repeat(140_000) }) }, status: 413, error: 'input_too_large' },
  { title: 'an unknown field', call: { json: { definition: DEFINITION, inputs: {} } }, status: 422, error: 'validation_failed', fault: ['unknown_field', '/inputs'] },
  { title: 'a field with the name of a member of every object', call: { json: { definition: DEFINITION, constructor: 1 } }, status: 422, error: 'validation_failed', fault: ['unknown_field', '/constructor'] },
  { title: 'another such field', call: { json: { definition: DEFINITION, hasOwnProperty: 1 } }, status: 422, error: 'validation_failed', fault: ['unknown_field', '/hasOwnProperty'] },
  { title: 'a workflow that is a number', call: { json: { workflow: 7 } }, status: 422, error: 'validation_failed', fault: ['wrong_type', '/workflow'] },
  { title: 'a workflow that is no name', call: { json: { workflow: '../x' } }, status: 422, error: 'validation_failed', fault: ['invalid_value', '/workflow'] },
  { title: 'neither workflow nor definition', call: { json: { input: {} } }, status: 422, error: 'validation_failed', fault: ['missing', ''] },
  { title: 'workflow and definition', call: { json: { workflow: 'a', definition: DEFINITION } }, status: 422, error: 'validation_failed', fault: ['missing', ''] },
  { title: 'a list', call: { json: [] }, status: 422, error: 'validation_failed', fault: ['wrong_type', ''] },
  { title: 'null', call: { raw: 'null' }, status: 422, error: 'validation_failed' },
  { title: 'an unknown workflow', call: { json: { workflow: 'no.such' } }, status: 400, error: 'unknown_workflow' },
  { title: 'an unknown label', call: { json: { workflow: 'no.such@2.0.0' } }, status: 400, error: 'unknown_workflow' },
  { title: 'a definition that is a text', call: { json: { definition: 'workflow: x' } }, status: 422, error: 'validation_failed' },
  { title: 'a definition with an unknown field', call: { json: { definition: { ...DEFINITION, tusks: [] } } }, status: 422, error: 'validation_failed', fault: ['unknown_field', '/definition/tusks'] },
  { title: 'an input against the schema', call: { json: { definition: DEFINITION, input: { n: 'one', s: 2 } } }, status: 422, error: 'validation_failed', fault: ['input_invalid', '/input/s'] },
  { title: 'an Idempotency-Key of 256 characters', call: { json: { definition: DEFINITION }, headers: { 'idempotency-key': 'x'.repeat(256) } }, status: 400, error: 'invalid_idempotency_key' },
  { title: 'an empty Idempotency-Key', call: { json: { definition: DEFINITION }, headers: { 'idempotency-key': '' } }, status: 400, error: 'invalid_idempotency_key' },
  { title: 'an Idempotency-Key with a blank in it', call: { json: { definition: DEFINITION }, headers: { 'idempotency-key': 'a b' } }, status: 400, error: 'invalid_idempotency_key' },
  { title: 'YAML where JSON belongs', call: { raw: 'workflow: x', headers: { 'content-type': 'application/yaml' } }, status: 415, error: 'unsupported_media_type' },
  { title: 'a form', call: { raw: 'workflow=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, status: 415, error: 'unsupported_media_type' },
];

const others: readonly (Omit<BadRequest, 'call'> & { readonly method: string; readonly path: string; readonly call?: Call })[] = [
  { title: 'an unknown status', method: 'GET', path: `${RUNS}?status=done`, status: 422, error: 'validation_failed', fault: ['unknown_value', '?status'] },
  { title: 'limit 0', method: 'GET', path: `${RUNS}?limit=0`, status: 422, error: 'validation_failed', fault: ['out_of_range', '?limit'] },
  { title: 'limit 101', method: 'GET', path: `${RUNS}?limit=101`, status: 422, error: 'validation_failed', fault: ['out_of_range', '?limit'] },
  { title: 'limit 1.5', method: 'GET', path: `${RUNS}?limit=1.5`, status: 422, error: 'validation_failed', fault: ['wrong_type', '?limit'] },
  { title: 'offset -1', method: 'GET', path: `${RUNS}?offset=-1`, status: 422, error: 'validation_failed', fault: ['out_of_range', '?offset'] },
  { title: 'an unknown parameter', method: 'GET', path: `${RUNS}?stats=x`, status: 422, error: 'validation_failed', fault: ['unknown_field', '?stats'] },
  { title: 'a parameter with the name of a member of every object', method: 'GET', path: `${RUNS}?constructor=x`, status: 422, error: 'validation_failed', fault: ['unknown_field', '?constructor'] },
  { title: 'a parameter with the name of the prototype', method: 'GET', path: `${RUNS}?__proto__=x`, status: 422, error: 'validation_failed', fault: ['unknown_field', '?__proto__'] },
  { title: 'a parameter twice', method: 'GET', path: `${RUNS}?workflow=a&workflow=b`, status: 422, error: 'validation_failed', fault: ['wrong_type', '?workflow'] },
  { title: 'a cursor of one\'s own', method: 'GET', path: `${RUNS}?cursor=abc`, status: 422, error: 'validation_failed', fault: ['invalid_value', '?cursor'] },
  { title: 'a day that does not exist', method: 'GET', path: `${RUNS}?from=2026-13-01T00:00:00Z`, status: 422, error: 'validation_failed', fault: ['invalid_value', '?from'] },
  { title: 'U+0000 in a search', method: 'GET', path: `${RUNS}?search=%00`, status: 422, error: 'validation_failed', fault: ['invalid_unicode', '?search'] },
  { title: 'asOf nonsense', method: 'GET', path: `${RUNS}/RUN?asOf=yesterday`, status: 422, error: 'validation_failed', fault: ['invalid_value', '?asOf'] },
  { title: 'asOf before the run', method: 'GET', path: `${RUNS}/RUN?asOf=2020-01-01T00:00:00Z`, status: 404, error: 'run_not_found' },
  { title: 'minVersion 0', method: 'GET', path: `${RUNS}/RUN?minVersion=0`, status: 422, error: 'validation_failed', fault: ['out_of_range', '?minVersion'] },
  { title: 'an unknown run', method: 'GET', path: `${RUNS}/run_01932c5e-7b6a-7c3d-8e9f-0123456789ab`, status: 404, error: 'run_not_found' },
  { title: 'an id that is none', method: 'GET', path: `${RUNS}/17`, status: 404, error: 'run_not_found' },
  { title: 'an id with SQL in it', method: 'GET', path: `${RUNS}/${encodeURIComponent("run_' OR 1=1 --")}`, status: 404, error: 'run_not_found' },
  { title: 'events of an unknown run', method: 'GET', path: `${RUNS}/run_01932c5e-7b6a-7c3d-8e9f-0123456789ab/events`, status: 404, error: 'run_not_found' },
  { title: 'events after nonsense', method: 'GET', path: `${RUNS}/RUN/events?after=x`, status: 422, error: 'validation_failed', fault: ['invalid_value', '?after'] },
  { title: 'retry of a run that goes on', method: 'POST', path: `${RUNS}/RUN/retry`, status: 409, error: 'retry_not_allowed' },
  { title: 'retry with an unknown field', method: 'POST', path: `${RUNS}/RUN/retry`, call: { json: { from: 'x' } }, status: 422, error: 'validation_failed', fault: ['unknown_field', '/from'] },
  { title: 'resume of a run that is not paused', method: 'POST', path: `${RUNS}/RUN/resume`, status: 409, error: 'resume_not_allowed' },
  { title: 'a reason that is too long', method: 'POST', path: `${RUNS}/RUN/cancel`, call: { json: { reason: 'x'.repeat(1_001) } }, status: 422, error: 'validation_failed', fault: ['out_of_range', '/reason'] },
  { title: 'cancel of an unknown run', method: 'POST', path: `${RUNS}/run_01932c5e-7b6a-7c3d-8e9f-0123456789ab/cancel`, status: 404, error: 'run_not_found' },
  { title: 'a signal without a name', method: 'POST', path: `${RUNS}/RUN/signals`, call: { json: { payload: 1 } }, status: 422, error: 'validation_failed', fault: ['wrong_type', '/signal'] },
  { title: 'a signal id with a slash', method: 'POST', path: `${RUNS}/RUN/signals`, call: { json: { signal: 'a', signalId: 'a/b' } }, status: 422, error: 'validation_failed', fault: ['invalid_value', '/signalId'] },
  { title: 'a definition without a body', method: 'PUT', path: '/orchestrator/workflows/x', status: 415, error: 'unsupported_media_type' },
  { title: 'a definition under another name', method: 'PUT', path: '/orchestrator/workflows/other', call: { json: DEFINITION }, status: 422, error: 'validation_failed', fault: ['name_mismatch', '/workflow'] },
  { title: 'a label that is none', method: 'PUT', path: '/orchestrator/workflows/demo.ordered?labels=a b', call: { json: DEFINITION }, status: 422, error: 'validation_failed', fault: ['invalid_value', '?labels'] },
  { title: 'an unknown workflow', method: 'GET', path: '/orchestrator/workflows/none', status: 404, error: 'workflow_not_found' },
  { title: 'versions of an unknown workflow', method: 'GET', path: '/orchestrator/workflows/none/versions', status: 404, error: 'workflow_not_found' },
  { title: 'an unknown path', method: 'GET', path: '/orchestrator/nothing', status: 404, error: 'route_not_found' },
  { title: 'a method that the path does not take', method: 'DELETE', path: RUNS, status: 404, error: 'route_not_found' },
];

const expectProblem = (answer: { status: number; headers: Headers; text: string; body: Record<string, unknown> }, { status, error, fault }: Omit<BadRequest, 'call'>): void => {
  expect({ status: answer.status, error: answer.body['error'], text: answer.text.slice(0, 500) }).toMatchObject({ status, error });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(answer.text).not.toMatch(/\bat .*\.[jt]s:\d|SELECT|INSERT|node_modules/);
  if (fault !== undefined) expect(answer.body['faults']).toContainEqual(expect.objectContaining({ code: fault[0], pointer: fault[1] }));
};

describe('bad input', () => {
  it.each(submissions)('POST /orchestrator/runs refuses $title with $status $error', async ({ call, ...expected }) => {
    const head = await fixture.log.head();
    expectProblem(await fixture.call('POST', RUNS, call), expected);
    expect(await fixture.log.head()).toBe(head);
  });

  it.each(others)('$method $path refuses $title with $status $error', async ({ method, path, call = {}, ...expected }) => {
    expectProblem(await fixture.call(method, path.replace('RUN', runId), call), expected);
  });

  it('names all faults of a request at once', async () => {
    const answer = await fixture.call('POST', RUNS, { json: { workflow: 7, inputs: 1, defintion: 2 } });
    expect(answer.body.faults.map((fault: { pointer: string }) => fault.pointer)).toEqual(expect.arrayContaining(['/workflow', '/inputs', '/defintion']));
  });

  it('names a fault once, though it fails several checks', async () => {
    const faultsOf = async (method: string, path: string, call: Call = {}): Promise<unknown> =>
      (await fixture.call(method, path.replace('RUN', runId), call)).body.faults.map(({ code, pointer }: { code: string; pointer: string }) => [code, pointer]);
    expect(await faultsOf('GET', `${RUNS}?limit=abc`)).toEqual([['wrong_type', '?limit']]);
    expect(await faultsOf('POST', `${RUNS}/RUN/tasks/first/resolve`, { json: { as: 'completed' }, key: fixture.keys.admin })).toEqual([['missing', '/reason']]);
    expect(await faultsOf('POST', `${RUNS}/RUN/signals`, { raw: '{"signal":"a","payload":{"__proto__":{"b":{"c":1}}}}' })).toEqual([['prototype_key', '/payload/__proto__']]);
  });

  it('gives diagnostics of a definition with line and column', async () => {
    const yaml = 'workflow: bad\ntasks:\n  - id: a\n    type: basic\n    action: x\n    onSuccess: { next: nowhere }\n  - id: a\n    type: basic\n';
    const put = await fixture.call('PUT', '/orchestrator/workflows/bad', { raw: yaml, headers: { 'content-type': 'application/yaml' } });
    expect(put.status).toBe(422);
    expect(put.body.faults.length).toBeGreaterThan(1);
    for (const fault of put.body.faults) expect(fault).toMatchObject({ line: expect.any(Number), column: expect.any(Number), severity: expect.any(String) });
    const check = await fixture.call('POST', '/orchestrator/workflows/check', { raw: yaml, headers: { 'content-type': 'application/yaml' }, key: fixture.keys.viewer });
    expect(check.status).toBe(200);
    expect(check.body.valid).toBe(false);
    expect(check.body.diagnostics.map((each: { code: string }) => each.code)).toEqual(put.body.faults.map((each: { code: string }) => each.code));
  });

  it('takes snake_case and camelCase for its own fields and leaves the user\'s fields alone', async () => {
    const { body: run } = await submit(fixture);
    const signal = await fixture.call('POST', `${RUNS}/${run.runId}/signals`, { json: { signal: 'go', signal_id: 'snake-1', correlation_id: 'c', payload: { my_field: 1 } } });
    expect(signal.status).toBe(202);
    expect(signal.body.signalId).toBe('snake-1');
    const { body: events } = await fixture.call('GET', `${RUNS}/${run.runId}/events`);
    expect(events.events.at(-1).data).toMatchObject({ signalId: 'snake-1', correlationId: 'c', payload: { my_field: 1 } });
    const both = await fixture.call('POST', `${RUNS}/${run.runId}/signals`, { json: { signal: 'go', signal_id: 'a', signalId: 'b' } });
    expect(both.body.faults).toContainEqual(expect.objectContaining({ code: 'duplicate_key', pointer: '/signalId' }));
  });

  it('[S3-38] keeps integers beyond 2^53 and long decimals digit for digit, from request to event and detail', async () => {
    const exact = '{"big":123456789012345678901234567890,"fine":0.1234567890123456789012345,"n":9007199254740993}';
    const accepted = await fixture.call('POST', RUNS, { raw: `{"definition":${noInputSchema},"input":${exact}}` });
    expect(accepted.status).toBe(202);
    const detail = await fixture.call('GET', `${RUNS}/${accepted.body.runId}`);
    expect(detail.text).toContain(`"input":${exact}`);
    const events = await fixture.call('GET', `${RUNS}/${accepted.body.runId}/events`);
    expect(events.text).toContain(`"input":${exact}`);
  });

  it('takes numbers, times and spaces in queries', async () => {
    const page = await fixture.call('GET', `${RUNS}?limit=100&offset=0&status=failed&from=2026-01-01T00:00:00Z&search=a%20b`);
    expect(page.status).toBe(200);
    expect(page.body).toEqual({ runs: [], nextCursor: null });
  });

  it('takes null for an optional field as not given, and null as an input for null', async () => {
    const accepted = await fixture.call('POST', RUNS, { raw: `{"workflow":null,"definition":${noInputSchema},"input":null}` });
    expect(accepted.status).toBe(202);
    expect((await fixture.call('GET', `${RUNS}/${accepted.body.runId}`)).body.input).toBeNull();
    expect((await fixture.call('POST', `${RUNS}/${accepted.body.runId}/pause`, { json: { reason: null } })).status).toBe(202);
    const signal = await fixture.call('POST', `${RUNS}/${accepted.body.runId}/signals`, { json: { signal: 'go', signalId: null, correlationId: null, payload: null } });
    expect(signal.status).toBe(202);
    expect((await fixture.call('GET', `${RUNS}/${accepted.body.runId}/events`)).body.events.at(-1).data).toMatchObject({ payload: null });
    await fixture.call('PUT', '/orchestrator/workflows/demo.ordered', { json: DEFINITION });
    expect((await fixture.call('POST', RUNS, { json: { workflow: 'demo.ordered', definition: null } })).status).toBe(202);
    const neither = await fixture.call('POST', RUNS, { json: { workflow: null, definition: null } });
    expect(neither.body.faults).toContainEqual(expect.objectContaining({ code: 'missing' }));
  });

  it('accepts what is just within the limits', async () => {
    const deep = await fixture.call('POST', RUNS, { raw: `{"definition":${noInputSchema},"input":${nested(63)}}` });
    expect(deep.status).toBe(202);
    const large = await fixture.call('POST', RUNS, { raw: `{"definition":${noInputSchema},"input":"${'x'.repeat(262_142)}"}` });
    expect(large.status).toBe(202);
    const ordinary = await fixture.call('POST', RUNS, { raw: `{"definition":${noInputSchema},"input":{"constructor":"Ferrari","prototype":1}}` });
    expect(ordinary.status).toBe(202);
  });
});
