import type { SqlClient } from '@foldwork/read-models';
import type { Anchor } from './rolling-root';

export const insertAnchors = async (client: SqlClient, anchors: readonly Anchor[]): Promise<void> => {
  await client.query({
    text: 'INSERT INTO public.anchors (position, root) SELECT * FROM unnest($1::bigint[], $2::text[])',
    values: [anchors.map(({ position }) => position), anchors.map(({ root }) => root)],
  });
};
