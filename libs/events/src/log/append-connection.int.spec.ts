import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '@foldwork/testing';
import { AppendConnection } from './append-connection';

const READY_BYTES = 6;

/** A way to the server that can be made to swallow everything without closing anything. */
class SwallowingWay {
  isSwallowing = false;
  /** How long the end of an answer, which says that the server is ready again, comes after the rest. */
  readyLateMs = 0;
  /** What the server was sent. */
  passed = '';
  private readonly server: Server;
  private readonly sockets: Socket[] = [];

  constructor(to: URL) {
    this.server = createServer((client) => {
      const upstream = connect(Number(to.port), to.hostname);
      this.sockets.push(client, upstream);
      let passing = Promise.resolve();
      const pass = async (bytes: Buffer): Promise<void> => {
        client.write(bytes.subarray(0, -READY_BYTES));
        await sleep(this.readyLateMs);
        client.write(bytes.subarray(-READY_BYTES));
      };
      upstream.on('data', (bytes) => {
        if (!this.isSwallowing) passing = passing.then(() => pass(bytes));
      });
      client.on('data', (bytes) => {
        if (this.isSwallowing) return;
        this.passed += bytes.toString('latin1');
        upstream.write(bytes);
      });
      for (const socket of [client, upstream]) socket.on('error', () => undefined);
    });
  }

  async open(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return (this.server.address() as AddressInfo).port; // it listens on TCP
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

describe('AppendConnection', () => {
  let database: TestDatabase;
  let way: SwallowingWay;
  let connection: AppendConnection;
  const one = () => ({ name: 'one', text: 'SELECT $1::text', values: ['1'] });

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  beforeEach(async () => {
    const url = new URL(database.url);
    way = new SwallowingWay(new URL(database.url));
    url.hostname = '127.0.0.1';
    url.port = String(await way.open());
    connection = new AppendConnection({ connectionString: url.toString() }, 200, () => undefined);
  });
  afterEach(async () => {
    connection.reset();
    way.close();
  });

  it('gives up a server that vanished without a word, and connects anew', async () => {
    expect(await connection.queryValue(one)).toBe('1');
    way.isSwallowing = true;
    await expect(connection.queryValue(one)).rejects.toThrow('has not answered for 200 ms');
    way.isSwallowing = false;
    connection.reset();
    expect(await connection.queryValue(one)).toBe('1');
  });

  it('keeps a connection that is merely not used', async () => {
    const pid = () => ({ name: 'pid', text: 'SELECT pg_backend_pid()', values: [] });
    const first = await connection.queryValue(pid);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await connection.queryValue(pid)).toBe(first);
  });

  it('lets a statement leave before the one in front of it is answered, and knows whose answer is whose', async () => {
    const locked = new Client({ connectionString: database.url });
    await locked.connect();
    await locked.query('SELECT pg_advisory_lock(1)');
    const statement = (value: string) => () => ({ name: 'behind_lock', text: 'SELECT $1::text FROM pg_advisory_xact_lock_shared(1)', values: [value] });
    const answers = Promise.all(['first', 'second'].map((value) => connection.queryValue(statement(value))));
    while (!way.passed.includes('second')) await nextTurn();
    await locked.end();
    expect(await answers).toEqual(['first', 'second']);
    expect(await connection.queryValue(statement('third'))).toBe('third');
  });

  it('lets neither of two statements fail that the other one is refused', async () => {
    const half = (value: string) => () => ({ name: 'half', text: 'SELECT 10 / $1::integer', values: [value] });
    const answers = await Promise.allSettled(['0', '2', '0', '5'].map((value) => connection.queryValue(half(value))));
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled']);
    expect(await connection.queryValue(half('1'))).toBe('10');
  });

  it('lets a statement leave as it was made, though the end of the answer before has not come yet', async () => {
    const value = Buffer.from('first');
    const shared = () => ({ name: 'shared', text: 'SELECT convert_from($1::bytea, $2)', values: [value, 'UTF8'] });
    await connection.queryValue(shared);
    way.readyLateMs = 50;
    await expect(connection.queryValue(() => ({ name: 'faulty', text: 'SELECT $1::integer', values: ['x'] }))).rejects.toThrow('invalid input syntax');
    const first = connection.queryValue(shared);
    await nextTurn();
    value.write('other');
    expect(await Promise.all([first, connection.queryValue(shared)])).toEqual(['first', 'other']);
  });

  it('says what the server says, and goes on with the same connection', async () => {
    await expect(connection.queryValue(() => ({ name: 'faulty', text: 'SELECT $1::integer', values: ['x'] }))).rejects.toThrow('invalid input syntax');
    expect(await connection.queryValue(one)).toBe('1');
  });

  it('knows an empty answer from a null', async () => {
    expect(await connection.queryValue(() => ({ name: 'no_row', text: 'SELECT 1 WHERE false', values: [] }))).toBeUndefined();
    expect(await connection.queryValue(() => ({ name: 'null', text: 'SELECT NULL::text', values: [] }))).toBeNull();
  });
});
