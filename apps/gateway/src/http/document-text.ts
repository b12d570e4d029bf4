import { Problem } from '@foldwork/platform/http';

/** A body whose text matters as it stands: diagnostics name its lines and columns. */
export class DocumentText {
  constructor(readonly text: string, readonly format: 'yaml' | 'json') {}
}

export const requireDocument = (body: unknown): DocumentText => {
  if (body instanceof DocumentText) return body;
  throw new Problem({
    status: 415, error: 'unsupported_media_type', detail: 'The body must be a definition in YAML or JSON.',
    remediation: 'Send content-type: application/yaml or application/json, and a body.',
  });
};
