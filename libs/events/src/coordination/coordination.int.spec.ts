import { Pool } from 'pg';
import { createTestDatabase, runIdAt, type TestDatabase } from '@foldwork/testing';
import { LogUnavailable } from '../log/event-log.port';
import { logMigrations } from '../log/log-migrations';
import { ActionDirectory } from './action-directory.adapter';
import { Agenda, awaitedKey } from './agenda.adapter';
import { Membership } from './membership.adapter';

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase({ migrations: logMigrations });
  pool = new Pool({ connectionString: database.url, options: '-c role=foldwork_app' });
});
beforeEach(() => pool.query('DELETE FROM agenda'));
afterAll(async () => {
  await pool.end();
  await database.drop();
});

describe('memberships', () => {
  const expire = (name: string) => pool.query("UPDATE members SET expires_at = clock_timestamp() - interval '1 second' WHERE name = $1", [name]);

  it('gives each one who takes a name the next incarnation; the one before cannot renew any more', async () => {
    const executors = new Membership(pool, 'executor');
    expect(await executors.join('a', 60_000)).toBe(1);
    expect(await executors.renew('a', 1, 60_000)).toBe(true);
    expect(await executors.join('a', 60_000)).toBe(2);
    expect(await executors.renew('a', 1, 60_000)).toBe(false);
    expect(await executors.renew('a', 2, 60_000)).toBe(true);
    expect(await executors.list()).toEqual([{ name: 'a', incarnation: 2, alive: true }]);
  });

  it('cannot renew a lease that ran out, even if nobody noticed', async () => {
    const planners = new Membership(pool, 'planner');
    await planners.join('p', 60_000);
    await expire('p');
    expect(await planners.list()).toEqual([{ name: 'p', incarnation: 1, alive: false }]);
    expect(await planners.renew('p', 1, 60_000)).toBe(false);
    expect(await planners.join('p', 60_000)).toBe(2);
  });

  it('keeps roles apart, and a name that was left is free at once; a late goodbye of the one before changes nothing', async () => {
    const [planners, executors] = [new Membership(pool, 'planner'), new Membership(pool, 'executor')];
    await planners.join('both', 60_000);
    await executors.join('both', 60_000);
    await executors.join('both', 60_000);
    await executors.leave('both', 1);
    expect(await executors.list()).toContainEqual({ name: 'both', incarnation: 2, alive: true });
    await executors.leave('both', 2);
    expect(await executors.list()).toContainEqual({ name: 'both', incarnation: 2, alive: false });
    expect(await planners.list()).toContainEqual({ name: 'both', incarnation: 1, alive: true });
  });

  it('gives out every incarnation once when many take a name together', async () => {
    const executors = new Membership(pool, 'executor');
    const taken = await Promise.all(Array.from({ length: 20 }, () => executors.join('wanted', 60_000)));
    expect(taken.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it('forgets those of both roles that have been gone for long, and nobody else', async () => {
    const [planners, executors] = [new Membership(pool, 'planner'), new Membership(pool, 'executor')];
    for (const name of ['long-gone', 'just-gone', 'left']) await executors.join(name, 60_000);
    await planners.join('long-gone', 60_000);
    await pool.query("UPDATE members SET expires_at = clock_timestamp() - interval '61 minutes' WHERE name = 'long-gone'");
    await expire('just-gone');
    await executors.leave('left', 1);
    await executors.forget(3_600_000);
    const names = [...(await planners.list()), ...(await executors.list())].map(({ name }) => name);
    expect(names).not.toContain('long-gone');
    expect(names).toEqual(expect.arrayContaining(['just-gone', 'left', 'wanted']));
    expect(await executors.join('long-gone', 60_000)).toBe(1);
  });

  it('tells trouble of the store from a lost lease', async () => {
    const nowhere = new Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none', connectionTimeoutMillis: 500 });
    await expect(new Membership(nowhere, 'executor').renew('a', 1, 1_000)).rejects.toBeInstanceOf(LogUnavailable);
    await nowhere.end();
  });
});

describe('the agenda', () => {
  let agenda: Agenda;
  const nothing = { saved: [], removed: [], shards: [], position: 0 };
  beforeEach(async () => {
    await pool.query('DELETE FROM planner_shards');
    agenda = new Agenda(pool);
    await agenda.claim([1, 2]);
  });

  it('finds what is due, earliest first, and what is in flight, by shard', async () => {
    const [a, b, c] = [runIdAt(1), runIdAt(2), runIdAt(3)];
    await agenda.save({ ...nothing, saved: [
      { runId: a, shard: 1, wakeAt: 2_000, inFlight: true },
      { runId: b, shard: 2, wakeAt: 1_000, inFlight: false },
      { runId: c, shard: 1, inFlight: true },
    ] });
    expect(await agenda.due([1, 2], 2_000, 10)).toEqual([{ runId: b, wakeAt: 1_000 }, { runId: a, wakeAt: 2_000 }]);
    expect(await agenda.due([1, 2], 2_000, 1)).toEqual([{ runId: b, wakeAt: 1_000 }]);
    expect(await agenda.due([1], 1_999, 10)).toEqual([]);
    expect((await agenda.inFlight([1])).toSorted()).toEqual([a, c].toSorted());
    expect(await agenda.inFlight([2])).toEqual([]);
  });

  it('replaces and removes appointments', async () => {
    const runId = runIdAt(1);
    await agenda.save({ ...nothing, saved: [{ runId, shard: 1, wakeAt: 1, inFlight: true }] });
    await agenda.save({ ...nothing, saved: [{ runId, shard: 1, wakeAt: 5, inFlight: false }] });
    expect(await agenda.due([1], 10, 10)).toEqual([{ runId, wakeAt: 5 }]);
    await agenda.save({ ...nothing, removed: [runId, runIdAt(9)] });
    expect(await agenda.due([1], 10, 10)).toEqual([]);
  });

  it('finds who waits for a signal whatever its correlation id is made of, and however long it is', async () => {
    const [a, b] = [runIdAt(1), runIdAt(2)];
    const long = Array.from({ length: 4_000 }, (_, index) => String.fromCodePoint(0x4e00 + ((index * 7919) % 20_000))).join('');
    const keys = [awaitedKey('default', 'paid', 'one\u001Ftwo'), awaitedKey('default', 'paid', long)];
    await agenda.save({ ...nothing, saved: [{ runId: a, shard: 1, inFlight: false, awaits: keys }, { runId: b, shard: 1, inFlight: false, awaits: [awaitedKey('default', 'paid')] }] });
    for (const key of keys) expect(await agenda.awaiting([key], [1])).toEqual([a]);
    expect(await agenda.awaiting([awaitedKey('default', 'paid')], [1])).toEqual([b]);
  });

  it('writes nothing of shards that another planner has claimed since, and says which it has', async () => {
    const [kept, lost, gone] = [runIdAt(1), runIdAt(2), runIdAt(3)];
    const saved = [{ runId: kept, shard: 1, inFlight: true }, { runId: lost, shard: 2, inFlight: true, awaits: ['key'] }, { runId: gone, shard: 2, inFlight: true }];
    expect(await agenda.save({ ...nothing, saved, shards: [1, 2], position: 5 })).toEqual([1, 2]);
    const heir = new Agenda(pool);
    expect(await heir.claim([2, 3])).toEqual([2, 3]);
    expect(await heir.claim([2, 3])).toEqual([]);
    const late = [{ runId: kept, shard: 1, wakeAt: 1, inFlight: false }, { runId: lost, shard: 2, wakeAt: 1, inFlight: false }];
    expect(await agenda.save({ ...nothing, saved: late, removed: [gone], shards: [1, 2], position: 9 })).toEqual([1]);
    expect(await heir.due([1, 2], 10, 10)).toEqual([{ runId: kept, wakeAt: 1 }]);
    expect((await heir.inFlight([1, 2])).toSorted()).toEqual([lost, gone].toSorted());
    expect(await heir.awaiting(['key'], [2])).toEqual([lost]);
    expect([await heir.position([1]), await heir.position([2]), await heir.position([3])]).toEqual([9, 5, 0]);
    expect(await agenda.claim([1, 2])).toEqual([2]);
  });

  it('saves before a claim of its shards or not at all, however the two meet', async () => {
    const planners = [agenda, new Agenda(pool), new Agenda(pool)];
    const shards = Array.from({ length: 16 }, (_, shard) => shard);
    const runIds = shards.map((shard) => runIdAt(shard + 1));
    const turn = async (planner: Agenda, round: number): Promise<void> => {
      await planner.claim(round % 2 === 0 ? shards : shards.toReversed());
      for (let n = 0; n < 5; n += 1) {
        const held = await planner.save({ ...nothing, saved: runIds.map((runId, shard) => ({ runId, shard, wakeAt: round, inFlight: true })), shards, position: round });
        expect([0, 16]).toContain(held.length);
      }
    };
    for (let round = 1; round <= 20; round += 1) await Promise.all(planners.map((planner) => turn(planner, round)));
    expect(await agenda.due(shards, 20, 99)).toHaveLength(16);
    expect(await agenda.position(shards)).toBe(20);
  });

  it('moves the position of shards forward only, knows none of a shard that nobody had, and none from before a restore', async () => {
    expect(await agenda.position([5, 6])).toBe(0);
    await agenda.claim([5, 6]);
    await agenda.save({ ...nothing, shards: [5, 6], position: 40 });
    await agenda.save({ ...nothing, shards: [5], position: 70 });
    await agenda.save({ ...nothing, shards: [5], position: 50 });
    expect(await agenda.position([5])).toBe(70);
    expect(await agenda.position([5, 6])).toBe(40);
    expect(await agenda.position([5, 7])).toBe(0);
    await pool.query('UPDATE planner_shards SET epoch = gen_random_uuid()');
    expect(await agenda.position([5])).toBe(0);
    await agenda.save({ ...nothing, shards: [5], position: 3 });
    expect(await agenda.position([5])).toBe(3);
  });
});

it('the directory of actions has what was said last about each', async () => {
  const directory = new ActionDirectory(pool);
  await directory.publish([{ name: 'b', effect: 'once', verify: true }, { name: 'a', effect: 'none', verify: false, inputSchema: '{"type":"object"}' }]);
  await directory.publish([{ name: 'b', effect: 'keyed', verify: false }]);
  await directory.publish([]);
  expect(await directory.list()).toEqual([
    { name: 'a', effect: 'none', verify: false, inputSchema: '{"type":"object"}' },
    { name: 'b', effect: 'keyed', verify: false },
  ]);
});

it('takes the actions of executors that start together, in whatever order each of them has its own', async () => {
  const directory = new ActionDirectory(pool);
  const actions = Array.from({ length: 300 }, (_, index) => ({ name: `action ${index}`, effect: 'none' as const, verify: false }));
  const orders = [actions, actions.toReversed(), actions.toSorted(() => 0.5 - Math.random())];
  for (let round = 0; round < 30; round += 1) await Promise.all(orders.map((order) => directory.publish(order)));
  expect((await directory.list()).filter(({ name }) => name.startsWith('action '))).toHaveLength(300);
});
