/** One fault of a definition, each reported once. */
export interface Diagnostic {
  readonly code: string;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly hint?: string;
  /** 1-based; 1 and 1 for definitions that did not come as text. */
  readonly line: number;
  readonly column: number;
  /** JSON pointer (RFC 6901) of the faulty value. */
  readonly pointer: string;
}
