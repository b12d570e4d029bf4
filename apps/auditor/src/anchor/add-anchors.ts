import type { Pool, PoolClient } from 'pg';
import { anchorsAfter } from './anchors-after.query';
import { insertAnchors } from './insert-anchors.query';
import type { Anchor } from './rolling-root';

const LOCK = 'SELECT pg_advisory_xact_lock(1179602020, 2)';

/**
 * Each anchor is made from the one before it. False, with nothing changed, when others stand behind `after` already than
 * these: an auditor with another distance between them was faster.
 */
export const addAnchors = async (pool: Pool, after: number, anchors: readonly Anchor[]): Promise<boolean> => {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query(LOCK);
    const isAdded = await addWhatIsMissing(client, after, anchors);
    await client.query('COMMIT');
    client.release();
    return isAdded;
  } catch (error) {
    client.release(true); // with its connection goes the transaction
    throw error;
  }
};

const addWhatIsMissing = async (client: PoolClient, after: number, anchors: readonly Anchor[]): Promise<boolean> => {
  const present = await anchorsAfter(client, after);
  const areThese = present.every(({ position, root }, index) => anchors[index]?.position === position && anchors[index].root === root);
  const missing = areThese ? anchors.slice(present.length) : [];
  if (missing.length > 0) await insertAnchors(client, missing);
  return areThese;
};
