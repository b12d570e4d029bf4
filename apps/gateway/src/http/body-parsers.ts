import { isUtf8 } from 'node:buffer';
import { badRequest, BODY_BYTES_MAX, parseJsonBody, Problem } from '@foldwork/platform/http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DocumentText } from './document-text';

const YAML_TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml'];
const DOCUMENT_ROUTES = '/orchestrator/workflows';

/** How bodies become values: JSON with exact numbers, definitions as the text they came in, nothing else. */
export const registerBodyParsers = (fastify: FastifyInstance): void => {
  const options = { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX } as const;
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser<Buffer>('application/json', options, async (request: FastifyRequest, body: Buffer) => {
    requirePlain(request);
    if (body.length === 0) return undefined;
    return takesDocument(request) ? documentOf(body, 'json') : parseJsonBody(body);
  });
  fastify.addContentTypeParser<Buffer>(YAML_TYPES, options, async (request: FastifyRequest, body: Buffer) => {
    requirePlain(request);
    if (takesDocument(request)) return documentOf(body, 'yaml');
    throw unsupported('The body must be JSON here.', 'Send content-type: application/json.');
  });
};

/** A form that we would not understand, or worse, misread. */
const requirePlain = ({ headers: { 'content-encoding': encoding = 'identity', 'content-type': type = '' } }: FastifyRequest): void => {
  if (encoding !== 'identity') throw unsupported(`The body is said to be packed (content-encoding: ${encoding}), which is not taken.`, 'Send it as it is.');
  const charset = /;\s*charset="?([^";\s]*)/i.exec(type)?.[1] ?? 'utf-8';
  if (!CHARSETS.has(charset.toLowerCase())) throw unsupported(`The body is said to be in ${charset}, which is not taken.`, 'Encode the body as UTF-8.');
};

const CHARSETS: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii']);

const unsupported = (detail: string, remediation: string): Problem => new Problem({ status: 415, error: 'unsupported_media_type', detail, remediation });

const takesDocument = ({ url }: FastifyRequest): boolean => url.startsWith(DOCUMENT_ROUTES);

const documentOf = (body: Buffer, format: 'yaml' | 'json'): DocumentText => {
  if (!isUtf8(body)) throw badRequest('invalid_unicode', 'The body is not valid UTF-8.', 'Encode the body as UTF-8.');
  return new DocumentText(body.toString('utf8'), format);
};
