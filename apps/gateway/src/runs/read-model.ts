import {
  listRuns, listWorkflows, parsePageCursor,
  type PageCursor, type RunFilter, type RunPage, type SqlClient, type WorkflowSummary,
} from '@foldwork/read-models';
import { invalidContent } from '@foldwork/platform';

/** What lists are made of. Every query is within one namespace. */
export class ReadModel {
  constructor(private readonly reads: SqlClient) {}

  runs(filter: RunFilter): Promise<RunPage> {
    return listRuns(this.reads, filter);
  }

  workflows(namespace: string): Promise<WorkflowSummary[]> {
    return listWorkflows(this.reads, namespace);
  }
}

export const requireCursor = (text: string): PageCursor => {
  const cursor = parsePageCursor(text);
  if (cursor === undefined) throw invalidContent([{ pointer: '?cursor', code: 'invalid_value', message: 'cursor must be the nextCursor of an earlier page.' }]);
  return cursor;
};
