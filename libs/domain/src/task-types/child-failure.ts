import { childName, type Json } from '@foldwork/events/contracts';
import type { TaskState } from '../run/run.state';

/** The error of a container: names the children that failed, and why. */
export const childFailure = (failed: readonly TaskState[]): { code: string; message: string; details: Json } => ({
  code: 'child_task_failure',
  message: failed.map((child) => `${childName(child.path)}: ${child.error?.message ?? child.status}`).join('; '),
  details: failed.map((child) => ({ task: child.path, status: child.status, message: child.error?.message ?? null })),
});
