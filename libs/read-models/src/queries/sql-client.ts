/** What a query needs of `pg`: a pool or a client. */
export interface SqlClient {
  query<Row>(statement: { readonly name?: string; readonly text: string; readonly values: unknown[] }): Promise<{ readonly rows: Row[] }>;
}
