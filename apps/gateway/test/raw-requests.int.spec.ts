import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { GatewayFixture } from './gateway-fixture';

/** What is no request, or hardly one: HTTP itself is not right, so no library would send it. */
let fixture: GatewayFixture;
beforeAll(async () => {
  fixture = await GatewayFixture.start();
});
afterAll(() => fixture.close());

const send = async (request: string) => {
  const socket = connect(Number(new URL(fixture.gateway.url).port), '127.0.0.1');
  socket.write(request);
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  const [statusLine = '', ...headers] = head.toLowerCase().split('\r\n');
  return { statusLine, headers, body };
};

const json = 'host: x\r\ncontent-type: application/json\r\n';
it.each([
  ['headers of more than 16 KiB', `GET /livez HTTP/1.1\r\nhost: x\r\nx-large: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
  ['no HTTP', 'nonsense\r\n\r\n', 400, 'bad_request'],
  ['a method that does not exist', 'FOO /livez HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'bad_request'],
  ['an encoded slash in front', 'GET %2Flivez HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'bad_request'],
  ['no host', 'GET /livez HTTP/1.1\r\nconnection: close\r\n\r\n', 400, 'host_missing'],
  ['a length that is no number', `POST /orchestrator/runs HTTP/1.1\r\n${json}content-length: x\r\n\r\n{}`, 400, 'bad_request'],
  ['two lengths', `POST /orchestrator/runs HTTP/1.1\r\n${json}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 400, 'bad_request'],
  ['a chunk without a length', `POST /orchestrator/runs HTTP/1.1\r\n${json}authorization: Bearer x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`, 400, 'bad_request'],
  ['an expectation that nobody knows', `POST /orchestrator/runs HTTP/1.1\r\n${json}expect: a-miracle\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`, 417, 'expectation_failed'],
])('%s is answered with a problem, as each call describes it', async (_what, request, status, error) => {
  const answer = await send(request);
  expect(answer.statusLine).toMatch(`http/1.1 ${status} `);
  expect(answer.headers).toContainEqual(expect.stringMatching(/^content-type: application\/problem\+json/));
  const problem = JSON.parse(answer.body);
  (await fixture.openApi()).check('POST', '/orchestrator/runs', { status, media: 'application/problem+json', body: problem });
  expect(problem).toMatchObject({ status, error, type: `urn:foldwork:problem:${error}`, title: expect.not.stringMatching(/^Error$/), detail: expect.any(String), remediation: expect.any(String) });
});

it('TRACE leads nowhere, and repeats nothing of what it was sent', async () => {
  const { statusLine, body } = await send('TRACE /livez HTTP/1.1\r\nhost: x\r\nauthorization: Bearer secret\r\nconnection: close\r\n\r\n');
  expect([statusLine, JSON.parse(body).error]).toEqual(['http/1.1 404 not found', 'route_not_found']);
  expect(body).not.toContain('secret');
});

it('HTTP/1.0 knows no host and needs none', async () => {
  expect((await send('GET /livez HTTP/1.0\r\n\r\n')).statusLine).toMatch('http/1.1 200 ');
});
