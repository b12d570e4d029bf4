const steps = (count: number, action: string): object[] =>
  Array.from({ length: count }, (_, index) => ({ id: `step${index + 1}`, type: 'basic', action }));

export const STEPS_PER_RUN = 10;
/** Between the two tasks of `bench.sleep`. */
export const SLEEP_MS = 3_000;

/** The workflows that the benchmarks publish, by name. */
export const BENCH_WORKFLOWS: Readonly<Record<string, object>> = {
  'bench.steps': { workflow: 'bench.steps', tasks: steps(STEPS_PER_RUN, 'bench.noop') },
  'bench.pauses': { workflow: 'bench.pauses', tasks: steps(STEPS_PER_RUN, 'bench.pause') },
  'bench.wide': {
    workflow: 'bench.wide',
    tasks: [
      { id: 'all', type: 'collection', items: '1..1000', mode: 'parallel', each: [{ id: 'child', type: 'basic', action: 'bench.noop' }] },
      { id: 'total', type: 'aggregate', outputs: { count: '${ tasks.all.output.itemCount }' } },
    ],
  },
  'bench.children': {
    workflow: 'bench.children',
    tasks: [{ id: 'all', type: 'collection', items: '1..${ input.children }', mode: 'parallel', each: [{ id: 'child', type: 'basic', action: 'bench.noop' }] }],
  },
  'bench.until': {
    workflow: 'bench.until',
    tasks: [{ id: 'wait', type: 'wait', until: '${ input.at }' }, { id: 'after', type: 'basic', action: 'bench.noop' }],
  },
  'bench.sleep': {
    workflow: 'bench.sleep',
    tasks: [{ id: 'before', type: 'basic', action: 'bench.noop', sleep: SLEEP_MS }, { id: 'after', type: 'basic', action: 'bench.noop' }],
  },
};
