import { parseArgs } from 'node:util';

export const WORKLOADS = ['W1', 'W2', 'W3', 'W4', 'W5', 'W6'] as const;
export type Workload = (typeof WORKLOADS)[number];
/** `memory` is long and asked for by name only. */
export type Part = Workload | 'limits' | 'memory';

export interface Options {
  readonly parts: ReadonlySet<Part>;
  /** Where the figures go as JSON. */
  readonly json?: string;
  /** Names what costs more than 5 % of the CPU of W1. */
  readonly profile: boolean;
  /** Whether the figures are kept under `benchmarks/results`. */
  readonly store: boolean;
  /** How often W1 is measured; the median counts. */
  readonly rounds: number;
  /** How long each part may wait for the machine to be quiet, in seconds. */
  readonly quietSeconds: number;
  /** Of the soak. */
  readonly soakRuns: number;
}

export const USAGE = `usage: npm run bench -- [--json <file>] [--only W1,W2,…,limits,memory] [--profile] [--store] [--rounds <n>] [--quiet <seconds>] [--soak-runs <n>]`;

/** Throws an `Error` whose message is for people. */
export const parseOptions = (argv: readonly string[]): Options => {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'string' }, only: { type: 'string' }, profile: { type: 'boolean', default: false }, store: { type: 'boolean', default: false },
      rounds: { type: 'string', default: '3' }, quiet: { type: 'string', default: '0' }, 'soak-runs': { type: 'string', default: '50000' },
    },
  });
  return {
    parts: partsOf(values.only),
    ...(values.json !== undefined && { json: values.json }),
    profile: values.profile,
    store: values.store,
    rounds: wholeNumber('--rounds', values.rounds, 1),
    quietSeconds: wholeNumber('--quiet', values.quiet, 0),
    soakRuns: wholeNumber('--soak-runs', values['soak-runs'], 1),
  };
};

const KNOWN: readonly string[] = [...WORKLOADS, 'limits', 'memory'];

const partsOf = (only: string | undefined): Set<Part> => {
  if (only === undefined) return new Set([...WORKLOADS, 'limits']);
  const names = only.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !KNOWN.includes(name));
  if (unknown.length > 0) throw new Error(`--only knows ${KNOWN.join(', ')}, not ${unknown.join(', ')}`);
  return new Set(names as Part[]); // checked above
};

const wholeNumber = (flag: string, text: string, minimum: number): number => {
  const value = Number(text);
  if (Number.isInteger(value) && value >= minimum) return value;
  throw new Error(`${flag} wants a whole number of at least ${minimum}, not ${text}`);
};
