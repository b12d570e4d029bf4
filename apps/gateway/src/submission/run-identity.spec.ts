import { workflowStreamId } from '@foldwork/platform';
import { newRunId, runIdOfKey } from './run-identity';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe('run ids', () => {
  it('are UUIDv7, never the same twice, and sort in the order in which they were made', () => {
    const ids = Array.from({ length: 20_000 }, newRunId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
    for (const id of ids.slice(0, 100)) expect(id[14]).toBe('7');
    const ms = Number.parseInt((ids[0] ?? '').replace('-', '').slice(0, 12), 16);
    expect(Math.abs(Date.now() - ms)).toBeLessThan(10_000);
  });

  it('follow from namespace and key alone, and tell other keys, namespaces and workflows apart', () => {
    expect(runIdOfKey('default', 'order-1')).toBe(runIdOfKey('default', 'order-1'));
    const ids = [runIdOfKey('default', 'order-1'), runIdOfKey('default', 'order-2'), runIdOfKey('other', 'order-1'), runIdOfKey('default\norder', '1'), workflowStreamId('default', 'order-1')];
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(UUID);
  });

  it('take the time of a key that is a UUIDv7 or a ULID', () => {
    expect(runIdOfKey('default', '01932c5e-7b6a-7c3d-8e9f-0123456789ab').slice(0, 15)).toBe('01932c5e-7b6a-8');
    expect(runIdOfKey('default', '01ARZ3NDEKTSV4RRFFQ69G5FAV')).toMatch(/^01563e3a-b5d3-8/);
    expect(runIdOfKey('default', '01ARZ3NDEKTSV4RRFFQ69G5FAV')).toMatch(UUID);
  });
});
