import { HealthRegistry } from './health.registry';
import { startHealthServer } from './health.server';

describe('HealthRegistry', () => {
  it('is ready when every check is, and tells each one\'s detail', async () => {
    const registry = new HealthRegistry().register('store', async () => ({ ok: true })).register('projection', async () => ({ ok: true, detail: { lag: 3 } }));
    expect(await registry.readiness()).toEqual({ status: 'ready', checks: { store: { status: 'up' }, projection: { status: 'up', lag: 3 } } });
  });

  it('is not ready when a check fails, throws or hangs, and never tells the error', async () => {
    const registry = new HealthRegistry(20)
      .register('fails', async () => ({ ok: false }))
      .register('throws', async () => Promise.reject(new Error('password of postgres://x')))
      .register('hangs', () => new Promise(() => undefined));
    const readiness = await registry.readiness();
    expect(readiness).toEqual({ status: 'not_ready', checks: { fails: { status: 'down' }, throws: { status: 'down', reason: 'unreachable' }, hangs: { status: 'down', reason: 'timeout' } } });
  });

  it('is not ready any more once the process stops', async () => {
    const registry = new HealthRegistry().register('store', async () => ({ ok: true }));
    registry.beginStop();
    expect((await registry.readiness()).status).toBe('not_ready');
  });

  it('answers over HTTP for processes that have nothing else there', async () => {
    const registry = new HealthRegistry();
    const server = await startHealthServer(registry, 0, '127.0.0.1');
    const status = async (path: string): Promise<number> => (await fetch(`http://127.0.0.1:${server.port}${path}`)).status;
    expect([await status('/livez'), await status('/readyz'), await status('/x')]).toEqual([200, 200, 404]);
    registry.beginStop();
    expect([await status('/livez'), await status('/readyz')]).toEqual([200, 503]);
    await server.close();
  });
});
