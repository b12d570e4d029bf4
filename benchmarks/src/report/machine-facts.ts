import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { findPostgresBinaries } from '@foldwork/testing';

/** What the figures were measured on; figures of different machines are compared by their ratios to the limits. */
export const machineFacts = async (): Promise<Record<string, unknown>> => ({
  at: new Date(Date.now()).toISOString(),
  cores: cpus().length,
  processor: cpus()[0]?.model ?? 'unknown',
  memoryMb: Math.round(totalmem() / 1024 / 1024),
  node: process.version,
  postgres: firstLine((await findPostgresBinaries()).postgres, ['--version']),
  commit: firstLine('git', ['rev-parse', '--short', 'HEAD']),
});

const firstLine = (command: string, args: readonly string[]): string => {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return 'unknown';
  }
};
