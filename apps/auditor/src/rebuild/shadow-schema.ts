import type { Client } from 'pg';

export const SHADOW_SCHEMA = 'read_models_shadow';

/** Empty copies of all tables of the read models, with their constraints and indexes. What an aborted rebuild left goes. */
export const createShadow = async (client: Client): Promise<void> => {
  await dropSchema(client, SHADOW_SCHEMA);
  await dropSchema(client, 'read_models_replaced');
  await client.query(`CREATE SCHEMA ${SHADOW_SCHEMA}`);
  const { rows } = await client.query<{ name: string }>(
    `SELECT quote_ident(table_name) AS name FROM information_schema.tables
     WHERE table_schema = 'read_models' AND table_type = 'BASE TABLE'`,
  );
  for (const { name } of rows) await client.query(`CREATE TABLE ${SHADOW_SCHEMA}.${name} (LIKE read_models.${name} INCLUDING ALL)`);
  await client.query(`GRANT USAGE ON SCHEMA ${SHADOW_SCHEMA} TO foldwork_app`);
  await client.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${SHADOW_SCHEMA} TO foldwork_app`);
};

/** `schema` is one of the names in this folder. */
export const dropSchema = async (client: Client, schema: string): Promise<void> => {
  await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
};
