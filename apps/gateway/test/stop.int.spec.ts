import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '@foldwork/events';
import { DEFINITION, GatewayFixture, submit } from './gateway-fixture';

let fixture: GatewayFixture;
beforeAll(async () => {
  fixture = await GatewayFixture.start();
});
afterAll(() => fixture.close());

/** The log, but what was appended is told only when the gate opens. */
const heldBack = (log: EventLog, gate: Promise<void>, appended: () => void): EventLog =>
  new Proxy(log, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (name !== 'append') return member.bind(target) as unknown;
      return async (...events: Parameters<EventLog['append']>) => {
        const outcome = await target.append(...events);
        appended();
        await gate;
        return outcome;
      };
    },
  });

const refusesConnections = async (url: string): Promise<void> => {
  for (;;) {
    const isRefused = await fetch(`${url}/livez`).then(() => false, () => true);
    if (isRefused) return;
    await sleep(10);
  }
};

const RUN = { definition: DEFINITION, input: { s: 'x' } };

describe('a gateway that stops', () => {
  it.each([
    ['/orchestrator/runs', RUN],
    ['/orchestrator/runs/batch', { runs: Array(500).fill(RUN) }],
  ])('answers the requests in flight, then lets nobody keep it: %s', async (path, body) => {
    const gate = Promise.withResolvers<void>();
    const appended = Promise.withResolvers<void>();
    const gateway = await fixture.startGatewayBeside({ log: heldBack(fixture.log, gate.promise, appended.resolve) });
    const headers = { authorization: `Bearer ${fixture.keys.operator}`, 'content-type': 'application/json' };
    const answer = fetch(`${gateway.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    await appended.promise;
    const began = performance.now();
    const closed = gateway.close();
    await refusesConnections(gateway.url);
    gate.resolve();
    const given = await answer;
    expect([given.status, (await given.text()).at(-1)]).toEqual([202, '}']);
    await closed;
    expect(performance.now() - began).toBeLessThan(3_000); // the kept-alive connection does not hold it
  });

  it('ends waits for a version of a run with what there is', async () => {
    const { body } = await submit(fixture);
    const gateway = await fixture.startGatewayBeside();
    const reads = jest.spyOn(fixture.log, 'readRuns');
    const waiting = fetch(`${gateway.url}/orchestrator/runs/${body.runId}?minVersion=99`, { headers: { authorization: `Bearer ${fixture.keys.viewer}` } });
    while (reads.mock.calls.length < 2) await sleep(10); // the second is the wait's own
    reads.mockRestore();
    await gateway.close();
    expect((await waiting).status).toBe(200);
  });
});
