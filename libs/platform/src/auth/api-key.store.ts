import { toLogUnavailable } from '@foldwork/events';
import type { Pool } from 'pg';
import { formatApiKey, hashSecret, newApiKey, parseApiKey } from './api-key';
import { parseRole, type Role } from './principal';

export interface StoredApiKey {
  readonly id: string;
  readonly secretHash: Uint8Array;
  readonly name: string;
  readonly namespace: string;
  readonly role: Role;
}

export interface NewApiKey {
  /** For people: who uses it. Becomes part of the actor in events. */
  readonly name: string;
  readonly namespace: string;
  readonly role: Role;
  readonly expiresAt?: Date;
}

interface ApiKeyRow {
  readonly key_id: string;
  readonly secret_hash: Buffer;
  readonly name: string;
  readonly namespace: string;
  readonly role: string;
}

const FIND = `SELECT key_id, secret_hash, name, namespace, role FROM api_keys
  WHERE key_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`;
const INSERT = `INSERT INTO api_keys (key_id, secret_hash, name, namespace, role, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`;

/** The key that may be used right now, or `undefined`. Rejects with `LogUnavailable`. */
export const findApiKey = async (pool: Pick<Pool, 'query'>, id: string): Promise<StoredApiKey | undefined> => {
  const { rows } = await pool.query<ApiKeyRow>({ name: 'find-api-key', text: FIND, values: [id] }).catch((error: unknown) => {
    throw toLogUnavailable(error);
  });
  const row = rows[0];
  const role = parseRole(row?.role);
  if (row === undefined || role === undefined) return undefined;
  return { id: row.key_id, secretHash: row.secret_hash, name: row.name, namespace: row.namespace, role };
};

/** Makes a key and returns its text, the only time anybody sees it. Needs a connection of the schema's owner. */
export const createApiKey = async (owner: Pick<Pool, 'query'>, { name, namespace, role, expiresAt }: NewApiKey): Promise<string> => {
  const key = newApiKey();
  await owner.query(INSERT, [key.id, hashSecret(key.secret), name, namespace, role, expiresAt ?? null]);
  return formatApiKey(key);
};

/** Whether this database has the key, be it expired or revoked by now. */
export const isStoredApiKey = async (pool: Pick<Pool, 'query'>, text: string): Promise<boolean> => {
  const { rows } = await pool.query('SELECT FROM api_keys WHERE key_id = $1', [parseApiKey(text)?.id]);
  return rows.length > 0;
};

export const revokeApiKey = async (owner: Pick<Pool, 'query'>, id: string): Promise<boolean> => {
  const { rowCount } = await owner.query('UPDATE api_keys SET revoked_at = now() WHERE key_id = $1 AND revoked_at IS NULL', [id]);
  return rowCount === 1;
};
