import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { answerClientError } from './answer-client-error';

let server: Server;
beforeEach(async () => {
  server = createServer({ requestTimeout: 50, connectionsCheckingInterval: 10 }, () => undefined).on('clientError', answerClientError).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const begin = (request: string) => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(request);
  return socket;
};

it('tells a client that took too long so, in a problem document', async () => {
  const answer = await text(begin('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab'));
  expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n(.+\r\n)*content-type: application\/problem\+json\r\n/i);
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`\r\ncontent-length: ${Buffer.byteLength(body)}(\r\n|$)`, 'i'));
  expect(JSON.parse(body)).toMatchObject({ status: 408, error: 'request_timeout', title: 'Request timed out', detail: expect.any(String), remediation: expect.any(String) });
});
