import type { EventLog } from '@foldwork/events';
import type { Logger } from '@foldwork/platform';
import { applyChanges, PROJECTION, projectReadModels } from '@foldwork/read-models';
import type { Client } from 'pg';
import { LogTail } from '../log/log-tail';
import { openCheckpoint, type Checkpoint } from '../log/open-checkpoint.query';
import { removeCheckpoint } from './remove-checkpoint.query';
import { createShadow, dropSchema, SHADOW_SCHEMA } from './shadow-schema';
import { swapSchemas } from './swap-schemas';

export interface RebuildInputs {
  readonly log: Pick<EventLog, 'readAfter'>;
  /** One connection as the owner of the schema, used by nobody else. */
  readonly client: Client;
  readonly logger: Logger;
}

const REBUILD = 'auditor-rebuild';
/** How near the shadow has to be before the live tables are held still. */
const NEAR_EVENTS = 2_000;
const LOCK = 'pg_try_advisory_lock(7381240356830343788)';

/**
 * Makes the read models anew from the whole log while the old ones serve.
 *  1. Readers see the old rows until one transaction gives the new ones their name, and never wait.
 *  2. In that transaction the projection is held still, the shadow comes at least to the live checkpoint, and that
 *     checkpoint is set to where the shadow is: the projection goes on behind it.
 *  3. Metrics, feed and anchors have checkpoints of their own; nothing of them is sent again.
 * Resolves to the position the new read models are at. Rejects when another rebuild is running.
 */
export const rebuild = async (inputs: RebuildInputs): Promise<number> => {
  const { rows } = await inputs.client.query<{ locked: boolean }>(`SELECT ${LOCK} AS locked`);
  if (rows[0]?.locked !== true) throw new Error('another rebuild of the read models is running');
  await createShadow(inputs.client);
  await removeCheckpoint(inputs.client, REBUILD);
  const shadow = new Shadow(inputs, await openCheckpoint(inputs.client, REBUILD, 'beginning'));
  await shadow.comeNear();
  const position = await swapSchemas(inputs.client, PROJECTION, (live) => shadow.comeTo(live));
  await dropSchema(inputs.client, 'read_models_replaced');
  await removeCheckpoint(inputs.client, REBUILD);
  inputs.logger.info({ event: 'read_models_rebuilt', position });
  return position;
};

class Shadow {
  private readonly tail: LogTail;

  constructor(
    private readonly inputs: RebuildInputs,
    private checkpoint: Checkpoint,
  ) {
    this.tail = new LogTail(inputs.log);
  }

  async comeNear(): Promise<void> {
    let applied = NEAR_EVENTS;
    while (applied >= NEAR_EVENTS) applied = await this.step();
  }

  /** Resolves to where it is, which may be beyond when the live tables are behind. */
  async comeTo(position: number): Promise<Checkpoint> {
    while (this.checkpoint.position < position) {
      if ((await this.step()) === 0) throw new Error(`the log ends at ${this.checkpoint.position}, before the live read models at ${position}`);
    }
    return this.checkpoint;
  }

  /** Applies the next events; resolves to how many. */
  private async step(): Promise<number> {
    const { position: from, epoch } = this.checkpoint;
    const events = await this.tail.read(from);
    if (events.length === 0) return 0;
    const to = from + events.length;
    const done = await applyChanges(this.inputs.client, SHADOW_SCHEMA, { checkpoint: REBUILD, epoch, from, to, changes: projectReadModels(events) });
    if (!done) throw new Error('somebody else moved the checkpoint of the rebuild');
    this.checkpoint = { position: to, epoch };
    return events.length;
  }
}
