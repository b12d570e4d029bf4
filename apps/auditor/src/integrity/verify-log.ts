import type { EventLog, RecordedEvent } from '@foldwork/events';
import type { SqlClient } from '@foldwork/read-models';
import { readAnchorFile } from '../anchor/anchor-file.adapter';
import { anchorsAfter } from '../anchor/anchors-after.query';
import { AnchorCheck } from './anchor-check';
import { ChainCheck, linkKey } from './chain-check';
import { checkpointPositions } from './checkpoint-positions.query';
import type { IntegrityProblem } from './integrity-problem';
import { streamLinks } from './stream-links.query';

export interface VerifyInputs {
  readonly log: Pick<EventLog, 'readAfter'>;
  readonly client: SqlClient;
  /** Files that an auditor wrote. Without one, somebody with all rights in the database could have forged everything. */
  readonly anchorFiles: readonly string[];
}

export interface IntegrityReport {
  readonly events: number;
  readonly head: number;
  readonly anchors: number;
  readonly problems: readonly IntegrityProblem[];
}

const PAGE = 1_000;
/** One broken place can break all that follows; the first ones tell where to look. */
const PROBLEMS_MAX = 1_000;

/**
 * Reads the whole log and says what in it is not as it was recorded: contents and order by the hash chains of its
 * streams, removed events by positions, versions and checkpoints, a log that was forged as a whole by its anchors.
 */
export const verifyLog = async (inputs: VerifyInputs): Promise<IntegrityReport> => {
  const problems: IntegrityProblem[] = [];
  const anchors = await anchorChecks(inputs, problems);
  const checkpoints = await checkpointPositions(inputs.client); // before the log, which grows meanwhile
  const chain = new ChainCheck(async (links) =>
    new Map((await streamLinks(inputs.client, links)).map((link) => [linkKey(link), link.hash])));
  let head = 0;
  let events = 0;
  for (;;) {
    const page = await inputs.log.readAfter(head, PAGE);
    if (page.length === 0 || problems.length >= PROBLEMS_MAX) break;
    problems.push(...missingPositions(head, page), ...(await chain.check(page)), ...anchors.checks.flatMap((each) => each.check(page)));
    head = page.at(-1)?.position ?? head;
    events += page.length;
  }
  problems.push(...anchors.checks.flatMap((each) => each.unreached(head)));
  for (const checkpoint of checkpoints) if (checkpoint.position > head) problems.push({ kind: 'checkpoint_unreached', ...checkpoint, head });
  return { events, head, anchors: anchors.count, problems: problems.slice(0, PROBLEMS_MAX) };
};

const anchorChecks = async ({ client, anchorFiles }: VerifyInputs, problems: IntegrityProblem[]): Promise<{ checks: AnchorCheck[]; count: number }> => {
  const table = await anchorsAfter(client, 0);
  const checks = [new AnchorCheck('table anchors', table)];
  let count = table.length;
  for (const path of anchorFiles) {
    const { anchors, badLines } = await readAnchorFile(path);
    for (const line of badLines) problems.push({ kind: 'anchor_line_unreadable', source: path, line });
    checks.push(new AnchorCheck(path, anchors));
    count += anchors.length;
  }
  return { checks, count };
};

const missingPositions = (after: number, page: readonly RecordedEvent[]): IntegrityProblem[] => {
  const missing: IntegrityProblem[] = [];
  let expected = after + 1;
  for (const { position } of page) {
    for (; expected < position && missing.length < PROBLEMS_MAX; expected += 1) missing.push({ kind: 'position_missing', position: expected });
    expected = position + 1;
  }
  return missing;
};
