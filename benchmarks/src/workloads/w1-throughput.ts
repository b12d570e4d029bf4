import { setTimeout as sleep } from 'node:timers/promises';
import { median, rounded } from '../percentiles';
import { batchFacts, caughtUp, logHead } from '../world/log-facts';
import { foreignSeconds, machineLoad } from '../world/machine-load';
import { cpuBetween, type CpuUse } from '../world/usage-meter';
import type { World } from '../world/world';
import { STEPS_PER_RUN } from '../workflows';

const RUNS = 2_000;
/** As one who starts thousands of runs would ask for them. */
const RUNS_PER_REQUEST = 500;
/** Until then V8 compiles what the services run often; that is over in the first seconds of a service's life. */
const WARM_UP_ROUNDS = 5;
const WATCH_PACE_MS = 25;

export interface ThroughputRound {
  readonly seconds: number;
  readonly stepsPerSecond: number;
  readonly cpuSecondsPer1000Steps: number;
  /** Until the last run was completed; the auditor may still have been behind. */
  readonly cpuAtEndPer1000Steps: number;
  readonly submitSeconds: number;
  readonly auditorBehindSeconds: number;
  readonly eventsPerStep: number;
  readonly eventsPerCommit: number;
  readonly peakMemoryMb: number;
  /** CPU of the load generator and the watch, and of whatever else ran on the machine; neither is in `cpu`. */
  readonly benchSeconds: number;
  readonly foreignSeconds: number;
  readonly cpu: CpuUse;
}

/** 2,000 runs of 10 steps, submitted as fast as the gateway takes them. */
export const throughputRound = async (world: World, { runs = RUNS, runsPerRequest = RUNS_PER_REQUEST } = {}): Promise<ThroughputRound> => {
  const { client, watch, meter } = world;
  watch.setPace(WATCH_PACE_MS);
  const after = await logHead(world);
  meter.takePeakMb();
  const before = await meter.read();
  const loadBefore = machineLoad();
  const start = performance.now();
  const submitted = await client.submitAll('bench.steps', runs, runsPerRequest);
  const submitSeconds = (performance.now() - start) / 1000;
  const ended = await Promise.all(submitted.map((runId) => watch.completed(runId)));
  const seconds = (Math.max(...ended.map(({ knownAt }) => knownAt)) - start) / 1000;
  const loadAfter = machineLoad();
  const atEnd = cpuBetween(before, await meter.read());
  const endAt = performance.now();
  await caughtUp(world);
  const auditorBehindSeconds = (performance.now() - endAt) / 1000;
  await sleep(300); // the planner's agenda and Postgres' own writers follow
  const cpu = cpuBetween(before, await meter.read());
  watch.setPace(0);
  const steps = runs * STEPS_PER_RUN;
  const facts = await batchFacts(world, after);
  return {
    seconds, submitSeconds, auditorBehindSeconds, cpu,
    benchSeconds: loadAfter.benchSeconds - loadBefore.benchSeconds,
    foreignSeconds: foreignSeconds(loadBefore, loadAfter, atEnd.totalSeconds),
    stepsPerSecond: steps / seconds,
    cpuSecondsPer1000Steps: cpu.totalSeconds / (steps / 1000),
    cpuAtEndPer1000Steps: atEnd.totalSeconds / (steps / 1000),
    eventsPerStep: facts.events / steps,
    eventsPerCommit: facts.eventsPerCommit,
    peakMemoryMb: meter.takePeakMb(),
  };
};

/** Of the rounds after those that warm the services up, the median by speed counts. */
export const w1Throughput = async (world: World, rounds: number): Promise<Record<string, unknown>> => {
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) await throughputRound(world);
  const measured = await measure(world, rounds, RUNS_PER_REQUEST);
  const alone = await measure(world, rounds, 1);
  return {
    runs: RUNS, stepsPerRun: STEPS_PER_RUN, runsPerRequest: RUNS_PER_REQUEST,
    ...summary(middleOf(measured)),
    allRounds: measured.map(brief),
    oneRunPerRequest: { ...brief(middleOf(alone)), allRounds: alone.map(brief) },
    peaksMb: world.meter.peaksMb(),
  };
};

const measure = async (world: World, rounds: number, runsPerRequest: number): Promise<ThroughputRound[]> => {
  const measured: ThroughputRound[] = [];
  for (let round = 0; round < rounds; round += 1) measured.push(await throughputRound(world, { runsPerRequest }));
  return measured;
};

const middleOf = (rounds: readonly ThroughputRound[]): ThroughputRound => {
  const middle = median(rounds.map(({ stepsPerSecond }) => stepsPerSecond));
  const chosen = rounds.find(({ stepsPerSecond }) => stepsPerSecond === middle);
  if (chosen === undefined) throw new Error('W1 was not measured');
  return chosen;
};

const brief = ({ stepsPerSecond, cpuSecondsPer1000Steps, foreignSeconds: foreign }: ThroughputRound): Record<string, number> => ({
  stepsPerSecond: Math.round(stepsPerSecond), cpuSecondsPer1000Steps: rounded(cpuSecondsPer1000Steps, 3), foreignCpuSeconds: rounded(foreign),
});

const summary = (round: ThroughputRound): Record<string, unknown> => ({
  stepsPerSecond: Math.round(round.stepsPerSecond),
  runsPerSecond: Math.round(round.stepsPerSecond / STEPS_PER_RUN),
  cpuSecondsPer1000Steps: rounded(round.cpuSecondsPer1000Steps, 3),
  cpuSecondsPer1000StepsAtLastRun: rounded(round.cpuAtEndPer1000Steps, 3),
  submittedPerSecond: Math.round(RUNS / round.submitSeconds),
  auditorBehindMs: Math.round(round.auditorBehindSeconds * 1000),
  eventsPerStep: rounded(round.eventsPerStep),
  eventsPerCommit: rounded(round.eventsPerCommit, 1),
  peakMemoryMb: round.peakMemoryMb,
  benchCpuSeconds: rounded(round.benchSeconds),
  foreignCpuSeconds: rounded(round.foreignSeconds),
  cpuByProcess: shares(round.cpu.byProcess),
  cpuOfPostgres: shares(round.cpu.ofPostgres),
});

/** Seconds to three digits, largest first; what took nothing is left out. */
const shares = (use: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(use).filter(([, seconds]) => seconds >= 0.005).sort(([, a], [, b]) => b - a).map(([name, seconds]) => [name, rounded(seconds, 3)]));
