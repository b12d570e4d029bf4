import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

interface OpenApi {
  readonly paths: Record<string, Record<string, { readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: object }> }> }>>;
  readonly components: { readonly schemas: Record<string, object> };
}

/** Holds the answers of the gateway against its own description: status, media type and every field. */
export class OpenApiContract {
  private readonly ajv = new Ajv({ strict: false, allErrors: true });
  private readonly validators = new Map<string, ValidateFunction>();

  constructor(private readonly document: OpenApi) {
    (addFormats as unknown as typeof addFormats.default)(this.ajv); // its CommonJS default export is the function itself
    this.ajv.addSchema({ $id: 'openapi', components: strict(document.components) as object });
  }

  /** All described calls, as `POST /path`. */
  get calls(): string[] {
    return Object.entries(this.document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));
  }

  /** Throws with all differences. `media` without parameters; `body` parsed, where it is JSON. */
  check(method: string, path: string, answer: { status: number; media: string; body: unknown }): void {
    const template = this.templateOf(method, path);
    if (template === undefined) return this.checkUnknownRoute(answer);
    const response = this.document.paths[template]?.[method.toLowerCase()]?.responses[answer.status];
    if (response === undefined) throw new Error(`${method} ${template} answered ${answer.status}, which is not described`);
    const content = response.content?.[answer.media];
    if (content === undefined) throw new Error(`${method} ${template} ${answer.status} answered ${answer.media}, which is not described`);
    if (answer.media.endsWith('json')) this.validate(`${method} ${template} ${answer.status} ${answer.media}`, content.schema, answer.body);
  }

  private checkUnknownRoute({ status, media, body }: { status: number; media: string; body: unknown }): void {
    if (status < 400 || media !== 'application/problem+json') throw new Error(`a path that is not described answered ${status} ${media}`);
    this.validate('problem', { $ref: '#/components/schemas/ProblemDto' }, body);
  }

  private validate(key: string, schema: object, body: unknown): void {
    const validate = this.validators.get(key) ?? this.ajv.compile(strict(schema) as object);
    this.validators.set(key, validate);
    if (!validate(body)) throw new Error(`${key}: ${this.ajv.errorsText(validate.errors)}\n${JSON.stringify(body, undefined, 1)}`);
  }

  private templateOf(method: string, path: string): string | undefined {
    const candidates = Object.keys(this.document.paths).filter((template) => this.document.paths[template]?.[method.toLowerCase()] !== undefined);
    const matching = candidates.filter((template) => new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(path));
    return matching.toSorted((left, right) => left.split('{').length - right.split('{').length)[0];
  }
}

/**
 * As described and nothing else: a field that the description does not name is a fault, too. A class that extends
 * another has all its fields itself in the generated document, so closing every object is safe.
 */
const strict = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [key, key === '$ref' && typeof value === 'string' ? value.replace('#/', 'openapi#/') : strict(value)]);
  const open: Record<string, unknown> = Object.fromEntries(entries);
  return 'properties' in schema && open['type'] === 'object' && !('additionalProperties' in schema) ? { ...open, additionalProperties: false } : open;
};
