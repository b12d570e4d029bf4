export type ExpressionErrorCode =
  | 'expression_syntax'
  | 'expression_undefined'
  | 'expression_type'
  | 'expression_limit'
  | 'expression_error';

export interface ExpressionErrorPlace {
  /** What was looked up and is not there, e.g. `tasks.a.output.id`. */
  readonly path?: string;
  /** Offset into the text that was compiled (of the whole string for templates), in UTF-16 units. */
  readonly position?: number;
  /** The string inside a template's value, e.g. `images[0].id`. */
  readonly pointer?: string;
  readonly summary?: string;
}

/**
 * The only error this folder throws. `expression_syntax`: the text is no CEL. `expression_undefined`: a name or key that
 * is not there. `expression_type`: a value of the wrong type. `expression_limit`: too long, too costly or too deep.
 * `expression_error`: anything else an evaluation can end in, such as a division by zero.
 */
export class ExpressionError extends Error {
  /** The message without the place. */
  readonly summary: string;
  override readonly name = 'ExpressionError';
  readonly path?: string;
  readonly position?: number;
  readonly pointer?: string;

  constructor(
    readonly code: ExpressionErrorCode,
    message: string,
    place: ExpressionErrorPlace = {},
  ) {
    super(readable(message));
    this.summary = place.summary ?? this.message;
    if (place.path !== undefined) this.path = place.path;
    if (place.position !== undefined) this.position = place.position;
    if (place.pointer !== undefined) this.pointer = place.pointer;
  }

  /** The same fault seen from a longer text that begins `offset` characters before. */
  shifted(offset: number): ExpressionError {
    return offset === 0 ? this : new ExpressionError(this.code, this.message, { ...this.place, position: (this.position ?? 0) + offset });
  }

  /** The same fault, its message telling where in a value it lies: `No such key: input.id (at "items[0]", position 3)`. */
  inside(pointer: string): ExpressionError {
    const where = pointer === '' ? '' : `at "${pointer}", `;
    return new ExpressionError(this.code, `${this.summary} (${where}position ${this.position ?? 0})`, { ...this.place, summary: this.summary, pointer });
  }

  private get place(): ExpressionErrorPlace {
    const { path, position, pointer } = this;
    return { ...(path !== undefined && { path }), ...(position !== undefined && { position }), ...(pointer !== undefined && { pointer }) };
  }
}

/** It may show values that no event can hold, and is itself put into one. */
const readable = (message: string): string => message.toWellFormed().replaceAll('\0', '\uFFFD');
