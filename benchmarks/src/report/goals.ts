export interface Goal {
  /** `<part>.<figure>` in the result. */
  readonly key: string;
  readonly better: 'more' | 'less';
  readonly must: number;
  readonly aim: number;
  /** The limit of the machine that the figure goes with: twice the limit, twice as good. */
  readonly limit?: keyof typeof REFERENCE_LIMITS;
}

/** What the machine could do that the goals were written for. */
export const REFERENCE_LIMITS = { singleCommitsPerSecond: 4_277, groupedRowsPerSecond: 86_000 } as const;

/** What the system wants to reach with two cores for Postgres, NATS and the four services together. */
export const GOALS: readonly Goal[] = [
  { key: 'W1.stepsPerSecond', better: 'more', must: 8_000, aim: 17_000, limit: 'groupedRowsPerSecond' },
  { key: 'W1.cpuSecondsPer1000Steps', better: 'less', must: 0.22, aim: 0.1, limit: 'groupedRowsPerSecond' },
  { key: 'W2.runP50Ms', better: 'less', must: 9, aim: 6, limit: 'singleCommitsPerSecond' },
  { key: 'W2.runP99Ms', better: 'less', must: 18, aim: 12, limit: 'singleCommitsPerSecond' },
  { key: 'W3.p50Ms', better: 'less', must: 11, aim: 7, limit: 'singleCommitsPerSecond' },
  { key: 'W3.p99Ms', better: 'less', must: 18, aim: 13, limit: 'singleCommitsPerSecond' },
  { key: 'W5.restartToDoneMs', better: 'less', must: 1_500, aim: 800 },
  { key: 'W5.recordedRepeated', better: 'less', must: 0, aim: 0 },
  { key: 'W6.latenessP50Ms', better: 'less', must: 5, aim: 3 },
  { key: 'W6.latenessP99Ms', better: 'less', must: 15, aim: 6 },
];
