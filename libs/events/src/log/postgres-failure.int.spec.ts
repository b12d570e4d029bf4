import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { failureKind, toLogUnavailable } from './postgres-failure';

/** What a statement is told that leaves just as the server has closed the connection. */
const writtenTooLate = async (): Promise<unknown> => {
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').resume(); // it listens on TCP
  await once(socket, 'end');
  socket.write('late');
  const [error] = await once(socket, 'error');
  server.close();
  return error;
};

it('does not take a connection that was closed for an answer of the server, though EPIPE looks like an SQLSTATE', async () => {
  const error = await writtenTooLate();
  expect(error).toMatchObject({ code: 'EPIPE' });
  expect(failureKind(error)).toBe('transient');
  expect(toLogUnavailable(error)).toMatchObject({ code: 'disconnected' });
});
