import type { MigrationInterface, QueryRunner } from 'typeorm';

/** One lock for all appends of the database: positions are handed out and committed under it, so they equal commit order. */
export const APPEND_LOCK = 'pg_advisory_xact_lock(1179602020, 1)';

/**
 * What every append function needs. `search_path`: it runs with its owner's rights. `enable_seqscan = off` and the
 * generic plan: a plan made while the table was empty costs 7x later, and left to choose Postgres plans each batch
 * anew, which makes one event cost two to four times as much (127 against 40 us).
 */
export const APPEND_SETTINGS = `LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET plan_cache_mode = force_generic_plan SET jit = off`;

const COLUMNS = `p_run_ids uuid[], p_tasks text[], p_versions integer[], p_types text[], p_schema_versions smallint[],
  p_namespaces text[], p_decides boolean[], p_metadata text[], p_data text[]`;
const VALUES = 'p_run_ids, p_tasks, p_versions, p_types, p_schema_versions, p_namespaces, p_decides, p_metadata, p_data';
const ROW = 'run_id, task, version, type, schema_version, namespace, decide, metadata, data';

const PREDECESSOR = `SELECT p.hash FROM public.events p
  WHERE p.run_id = e.run_id AND p.task = e.task AND p.version = e.version - 1`;

/**
 * SHA-256 over the predecessor's hash (32 zero bytes before version 1) and the event. The lengths, in bytes, make the
 * concatenation unambiguous whatever the texts contain. A missing predecessor makes the hash null, which the column
 * refuses: that is the whole check of invariant 2. `e` is the event. Twin: event-hash.ts.
 */
export const EVENT_HASH = `sha256(
  CASE WHEN e.version = 1 THEN decode('${'00'.repeat(32)}', 'hex') ELSE (${PREDECESSOR}) END
  || convert_to(e.run_id::text || '|' || e.version || '|' || e.schema_version || '|' || octet_length(e.type)
     || '|' || octet_length(e.namespace) || '|' || octet_length(e.task) || '|' || octet_length(e.metadata) || E'\\n'
     || e.type || e.namespace || e.task || e.metadata || e.data, 'UTF8'))`;

const insert = (place: string, extra: { arrays: string; names: string; where: string }): string => `
  INSERT INTO public.events (position, recorded_at, run_id, version, schema_version, decide, task, type, namespace, hash, metadata, data)
  SELECT v_base + ${place}, v_now, e.run_id, e.version, e.schema_version, e.decide, e.task, e.type, e.namespace, ${EVENT_HASH}, e.metadata, e.data
  FROM unnest(${VALUES}${extra.arrays}) WITH ORDINALITY AS e (${ROW}${extra.names}, n) ${extra.where}`;

const START = `
  PERFORM ${APPEND_LOCK};
  v_now := clock_timestamp();
  SELECT coalesce(max(position), 0) INTO v_base FROM public.events;`;

/**
 * The fast way: lock, number, insert. The unique constraint and the chain are the check; when one of them complains the
 * batch is sent again through the checking function. Returns the position before the first event. `p_waves` is null
 * unless a stream has several events in the batch: then it says which events must be in place before which.
 */
const APPEND = `
CREATE FUNCTION public.append_events(${COLUMNS}, p_waves integer[]) RETURNS bigint ${APPEND_SETTINGS} AS $$
DECLARE v_base bigint; v_now timestamptz;
BEGIN
  ${START}
  IF p_waves IS NULL THEN
    ${insert('e.n', { arrays: '', names: '', where: '' })};
  ELSE
    FOR v_wave IN 0..(SELECT max(w) FROM unnest(p_waves) w) LOOP
      ${insert('e.n', { arrays: ', p_waves', names: ', wave', where: 'WHERE e.wave = v_wave' })};
    END LOOP;
  END IF;
  RETURN v_base;
END $$`;

const SAME = `SELECT p.type = e.type AND p.schema_version = e.schema_version AND p.namespace = e.namespace
    AND p.decide = e.decide AND p.metadata = e.metadata AND p.data = e.data
  FROM public.events p WHERE p.run_id = e.run_id AND p.task = e.task AND p.version = e.version`;

const HEAD = `SELECT p.version FROM public.events p WHERE p.run_id = e.run_id AND p.task = e.task ORDER BY p.version DESC LIMIT 1`;

/** Whether event i repeats an event j that an earlier append of the same batch brought. */
const REPEATS_NEIGHBOUR = `EXISTS (SELECT FROM generate_series(1, v_first - 1) j
  WHERE v_places[j] IS NOT NULL AND p_streams[j] = p_streams[i] AND p_versions[j] = p_versions[i]
    AND p_types[j] = p_types[i] AND p_schema_versions[j] = p_schema_versions[i] AND p_namespaces[j] = p_namespaces[i]
    AND p_decides[j] = p_decides[i] AND p_metadata[j] = p_metadata[i] AND p_data[j] = p_data[i])`;

/**
 * The checking way: the same as appending one after another, but the table is asked set-wise. An append is accepted when
 * each of its events is the next version of its stream, a duplicate when all of its events are there already byte for
 * byte, else a conflict. Returns `<position before the first event>:<o|d|c per append>`.
 * `p_appends` numbers the append of each event, `p_streams` its stream (both from 1, without holes).
 */
const APPEND_CHECKED = `
CREATE FUNCTION public.append_events_checked(${COLUMNS}, p_waves integer[], p_appends integer[], p_streams integer[])
RETURNS text ${APPEND_SETTINGS} AS $$
DECLARE
  v_base bigint; v_now timestamptz; v_same boolean[]; v_heads integer[]; v_places integer[]; v_codes text := '';
  v_count integer := cardinality(p_versions); v_accepted integer := 0;
  i integer := 1; v_first integer; v_bumped integer; v_fresh boolean; v_repeated boolean;
BEGIN
  ${START}
  SELECT array_agg(coalesce((${SAME}), false) ORDER BY e.n) INTO v_same
    FROM unnest(${VALUES}) WITH ORDINALITY AS e (${ROW}, n);
  SELECT array_agg(coalesce((${HEAD}), 0) ORDER BY e.stream) INTO v_heads FROM (
    SELECT DISTINCT ON (d.stream) d.* FROM unnest(p_run_ids, p_tasks, p_streams) AS d (run_id, task, stream) ORDER BY d.stream) e;
  v_places := array_fill(NULL::integer, ARRAY[v_count]);
  WHILE i <= v_count LOOP
    v_first := i; v_bumped := i - 1; v_fresh := true; v_repeated := true;
    WHILE i <= v_count AND p_appends[i] = p_appends[v_first] LOOP
      v_fresh := v_fresh AND p_versions[i] = v_heads[p_streams[i]] + 1;
      IF v_fresh THEN
        v_heads[p_streams[i]] := p_versions[i]; v_bumped := i; v_repeated := false;
      ELSIF v_repeated AND NOT v_same[i] THEN
        v_repeated := ${REPEATS_NEIGHBOUR};
      END IF;
      i := i + 1;
    END LOOP;
    IF v_fresh THEN
      FOR j IN v_first..i - 1 LOOP v_accepted := v_accepted + 1; v_places[j] := v_accepted; END LOOP;
    ELSE
      FOR j IN v_first..v_bumped LOOP v_heads[p_streams[j]] := v_heads[p_streams[j]] - 1; END LOOP;
    END IF;
    v_codes := v_codes || CASE WHEN v_repeated THEN 'd' WHEN v_fresh THEN 'o' ELSE 'c' END;
  END LOOP;
  FOR v_wave IN 0..(SELECT max(w) FROM unnest(p_waves) w) LOOP
    ${insert('e.place', { arrays: ', p_waves, v_places', names: ', wave, place', where: 'WHERE e.wave = v_wave AND e.place IS NOT NULL' })};
  END LOOP;
  RETURN v_base || ':' || v_codes;
END $$`;

const SIGNATURES = [
  'public.append_events(uuid[], text[], integer[], text[], smallint[], text[], boolean[], text[], text[], integer[])',
  'public.append_events_checked(uuid[], text[], integer[], text[], smallint[], text[], boolean[], text[], text[], integer[], integer[], integer[])',
];

export class AppendFunctions1764000000007 implements MigrationInterface {
  readonly name = 'AppendFunctions1764000000007';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [APPEND, APPEND_CHECKED]) await runner.query(statement);
    for (const signature of SIGNATURES) {
      await runner.query(`REVOKE EXECUTE ON FUNCTION ${signature} FROM PUBLIC`);
      await runner.query(`GRANT EXECUTE ON FUNCTION ${signature} TO foldwork_app`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const signature of SIGNATURES) await runner.query(`DROP FUNCTION ${signature}`);
  }
}
