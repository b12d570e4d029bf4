import type { RecordedEvent } from '../contracts';
import { aRunId, anEvent } from './event-log.fixtures';
import { InMemoryEventLog } from './in-memory-event-log.adapter';
import { verifyLog, type VerifyLogOptions } from './verify-log';

describe('verifying the log', () => {
  let log: InMemoryEventLog;
  beforeEach(async () => {
    log = new InMemoryEventLog();
    const runs = [aRunId(), aRunId()];
    for (const version of [1, 2, 3]) for (const run of runs) await log.append([anEvent(run, 'a', version)]);
  });
  /** The log as somebody left it who changed the table by hand. */
  const tampered = (change: (events: RecordedEvent[]) => RecordedEvent[]): InMemoryEventLog =>
    Object.assign(Object.create(log) as InMemoryEventLog, {
      readAfter: async (after: number, limit: number) => change(await log.readAfter(0, 100)).filter(({ position }) => position > after).slice(0, limit),
    });
  const faults = async (change: (events: RecordedEvent[]) => RecordedEvent[], options: VerifyLogOptions = {}) =>
    (await verifyLog(tampered(change), options)).faults.map(({ kind, position }) => `${kind}@${position}`);

  it('finds nothing in an intact log, whole, in parts and with little memory', async () => {
    expect(await verifyLog(log)).toEqual({ checked: 6, upTo: 6, faults: [] });
    expect(await verifyLog(log, { after: 3 })).toEqual({ checked: 3, upTo: 6, faults: [] });
    expect(await verifyLog(log, { upTo: 4, batchEventsMax: 2, streamsMax: 1 })).toEqual({ checked: 4, upTo: 4, faults: [] });
  });

  it.each(['data', 'metadata', 'namespace', 'type'] as const)('finds a changed %s', async (field) => {
    expect(await faults((events) => events.map((event) => (event.position === 3 ? { ...event, [field]: '{"x":1}' } : event)))).toEqual(['hash@3']);
  });

  it('finds a changed event whose hash was computed again: the next one of the stream does not fit', async () => {
    expect(await faults((events) => events.map((event) => (event.position === 3 ? { ...event, hash: '11'.repeat(32) } : event)))).toEqual(['hash@3', 'hash@5']);
  });

  it('finds a removed event, and one that was cut off the end', async () => {
    expect(await faults((events) => events.filter(({ position }) => position !== 3))).toEqual(['gap@4', 'version@5', 'hash@5']);
    expect(await faults((events) => events.slice(0, 5))).toEqual(['gap@6']);
  });

  it('stops at the limit of faults', async () => {
    expect(await faults((events) => events.map((event) => ({ ...event, data: '{}' })), { faultsMax: 2 })).toEqual(['hash@1', 'hash@2']);
  });
});
