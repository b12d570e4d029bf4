import { readdirSync, readFileSync } from 'node:fs';

/** Reads `/proc`. Linux counts CPU in hundredths of a second for everybody who asks. */
const TICKS_PER_SECOND = 100;

/** User and system time so far; with `children` that of its ended and waited-for children too. 0 for a process that is gone. */
export const cpuSeconds = (pid: number, children: 'alone' | 'with ended children' = 'alone'): number => {
  const fields = statFields(pid);
  const columns = children === 'alone' ? [11, 12] : [11, 12, 13, 14];
  return columns.reduce((sum, column) => sum + Number(fields[column] ?? 0), 0) / TICKS_PER_SECOND;
};

/** The fields behind the command's name, which may hold blanks itself. */
const statFields = (pid: number): string[] => (readProc(pid, 'stat').split(') ').at(-1) ?? '').split(' ');

export const childrenOf = (parent: number): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => statFields(pid)[1] === String(parent));

export interface Memory {
  /** Memory of its own, in MB. */
  readonly ownMb: number;
  /** Of what it shares with others (Postgres' buffers). */
  readonly sharedMb: number;
  /** The most it ever had, both together and file pages. */
  readonly peakMb: number;
}

export const memoryOf = (pid: number): Memory => {
  const status = readProc(pid, 'status');
  const megabytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
  return { ownMb: megabytes('RssAnon'), sharedMb: megabytes('RssShmem'), peakMb: megabytes('VmHWM') };
};

const readProc = (pid: number, file: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it ended: counts as nothing
  }
};
