import {
  listRuns, listWorkflows, parsePageCursor,
  type PageCursor, type RunFilter, type RunPage, type SqlClient, type WorkflowSummary,
} from '@foldwork/read-models';
import { toLogUnavailable } from '@foldwork/events';
import { invalidContent } from '@foldwork/platform/http';

/** What lists are made of. Every query is within one namespace, and rejects with `LogUnavailable` when Postgres is away. */
export class ReadModel {
  constructor(private readonly reads: SqlClient) {}

  runs(filter: RunFilter): Promise<RunPage> {
    return listRuns(this.reads, filter).catch(storeAway);
  }

  workflows(namespace: string): Promise<WorkflowSummary[]> {
    return listWorkflows(this.reads, namespace).catch(storeAway);
  }
}

const storeAway = (error: unknown): never => {
  throw toLogUnavailable(error);
};

export const requireCursor = (text: string): PageCursor => {
  const cursor = parsePageCursor(text);
  if (cursor === undefined) throw invalidContent([{ pointer: '?cursor', code: 'invalid_value', message: 'cursor must be the nextCursor of an earlier page.' }]);
  return cursor;
};
