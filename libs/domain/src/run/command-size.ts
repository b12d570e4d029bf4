import { stringifyJson, type SegmentTask } from '@foldwork/events/contracts';

/** So much of what its tasks bring along travels in one command: a server of NATS takes 1 MiB as it comes, and the variables go with it. */
const TEXT_MAX = 512 * 1_024;

type Segment = readonly SegmentTask[];

/**
 * Packs segments into groups that a message can carry. What does not fit into a segment any more is left out: its executor
 * asks for a decision after the last task that it has, and the rest is handed out then.
 */
export const packed = (segments: readonly Segment[], segmentsMax: number): Segment[][] => {
  const sizeOf = measure();
  const groups: Segment[][] = [];
  let left = 0;
  for (const whole of segments) {
    const segment = fitting(whole, sizeOf);
    const size = segment.reduce((sum, task) => sum + sizeOf(task), 0);
    const last = groups.at(-1);
    if (last === undefined || last.length === segmentsMax || size > left) {
      groups.push([segment]);
      left = TEXT_MAX - size;
    } else {
      last.push(segment);
      left -= size;
    }
  }
  return groups;
};

/** The first task goes in any case. */
const fitting = (segment: Segment, sizeOf: (task: SegmentTask) => number): Segment => {
  let left = TEXT_MAX;
  const end = segment.findIndex((task, index) => (left -= sizeOf(task)) < 0 && index > 0);
  return end < 0 ? segment : segment.slice(0, end);
};

/** Values that tasks share are measured once. */
const measure = (): ((task: SegmentTask) => number) => {
  const known = new Map<unknown, number>();
  const lengthOf = (value: unknown): number => {
    if (value === undefined) return 0;
    const length = known.get(value) ?? stringifyJson(value).length;
    known.set(value, length);
    return length;
  };
  return ({ inherited, overlay, locals, sideEffects, output }) => lengthOf(inherited) + lengthOf(overlay) + lengthOf(locals) + lengthOf(sideEffects) + lengthOf(output);
};
