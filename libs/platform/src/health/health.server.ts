import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HealthRegistry } from './health.registry';

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** `/livez` and `/readyz` for a process without an HTTP interface of its own. */
export const startHealthServer = async (registry: HealthRegistry, port: number, host: string): Promise<HealthServer> => {
  const server = createServer((request, response) => {
    void answer(request.url ?? '', registry).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject).listen(port, host, listening.resolve);
  await listening.promise;
  const { port: chosen } = server.address() as AddressInfo; // a TCP server's address is never a pipe's name
  return { port: chosen, close: () => closeServer(server) };
};

const answer = async (path: string, registry: HealthRegistry): Promise<{ status: number; body: object }> => {
  if (path === '/livez') return { status: 200, body: { status: 'alive' } };
  if (path !== '/readyz') return { status: 404, body: { status: 'not_found' } };
  const readiness = await registry.readiness();
  return { status: readiness.status === 'ready' ? 200 : 503, body: readiness };
};

const closeServer = (server: Server): Promise<void> => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
};
