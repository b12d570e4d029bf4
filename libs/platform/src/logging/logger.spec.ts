import { createLogger } from './logger';

const linesOf = (write: (logger: ReturnType<typeof createLogger>) => void, level = 'info'): Record<string, unknown>[] => {
  const lines: string[] = [];
  write(createLogger({ app: 'gateway', level, destination: { write: (line) => void lines.push(line) } }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
};

describe('createLogger', () => {
  it('writes one JSON line per event with app, level and time', () => {
    const [line] = linesOf((logger) => logger.info({ event: 'run_accepted', runId: 'run_1', durationMs: 12 }));
    expect(line).toMatchObject({ app: 'gateway', level: 'info', event: 'run_accepted', runId: 'run_1', durationMs: 12 });
    expect(line?.['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it('never writes what is named like a secret', () => {
    const text = JSON.stringify(linesOf((logger) => logger.info({ token: 'hunter2', headers: { authorization: 'Bearer hunter2' }, a: { b: { password: 'hunter2' } } })));
    expect(text).not.toContain('hunter2');
    expect(text).toContain('***');
  });

  it('tells an error without the connection that pg hangs on it', () => {
    const err = Object.assign(new Error('terminating connection'), { code: '57P01', client: { secretKey: 1502301193 } });
    const [line] = linesOf((logger) => logger.warn({ event: 'store_trouble', err }));
    expect(line?.['err']).toEqual({ type: 'Error', message: 'terminating connection', stack: err.stack, code: '57P01' });
  });

  it('leaves out what is below its level', () => {
    expect(linesOf((logger) => logger.debug({ event: 'x' }))).toEqual([]);
  });
});
