import { formatRunId, type RunId } from '@foldwork/events';

/** What the check found; each names the place, so that somebody can look there. */
export type IntegrityProblem =
  | { readonly kind: 'position_missing'; readonly position: number }
  | { readonly kind: 'version_missing'; readonly place: EventPlace }
  | { readonly kind: 'hash_wrong'; readonly place: EventPlace }
  | { readonly kind: 'anchor_wrong'; readonly source: string; readonly position: number; readonly expected: string; readonly found: string }
  | { readonly kind: 'anchor_unreached'; readonly source: string; readonly position: number; readonly head: number }
  | { readonly kind: 'anchor_line_unreadable'; readonly source: string; readonly line: number }
  | { readonly kind: 'checkpoint_unreached'; readonly name: string; readonly position: number; readonly head: number };

export interface EventPlace {
  readonly position: number;
  readonly runId: RunId;
  readonly task: string;
  readonly version: number;
}

/** One sentence for people. */
export const describeProblem = (problem: IntegrityProblem): string => {
  switch (problem.kind) {
    case 'position_missing':
      return `Position ${problem.position} is missing: an event was removed.`;
    case 'version_missing':
      return `${placeText(problem.place)}: the version before it is missing from its stream.`;
    case 'hash_wrong':
      return `${placeText(problem.place)}: its content, or the event before it in its stream, is not what was recorded.`;
    case 'anchor_wrong':
      return `${problem.source}: the log up to position ${problem.position} is not the one that was anchored (${problem.expected}, now ${problem.found}).`;
    case 'anchor_unreached':
      return `${problem.source}: position ${problem.position} was anchored, but the log ends at ${problem.head}: its newest events were removed.`;
    case 'anchor_line_unreadable':
      return `${problem.source}: line ${problem.line} is not an anchor.`;
    case 'checkpoint_unreached':
      return `Subscription "${problem.name}" has read up to position ${problem.position}, but the log ends at ${problem.head}: its newest events were removed.`;
  }
};

const placeText = ({ position, runId, task, version }: EventPlace): string =>
  `Position ${position} (${formatRunId(runId)}, ${task === '' ? 'the run itself' : `task ${task}`}, version ${version})`;
