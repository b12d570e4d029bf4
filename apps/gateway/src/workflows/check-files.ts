import type { DefinitionCheck } from './definition-check';

export interface CheckedFiles {
  readonly output: string;
  /** No diagnostic is an error. */
  readonly areValid: boolean;
}

/** `<path>:<line>:<column>` in front of each diagnostic, as editors and terminals follow it. */
export const checkFiles = async (check: DefinitionCheck, files: readonly { readonly path: string; readonly text: string }[], asJson: boolean): Promise<CheckedFiles> => {
  const lines: string[] = [];
  let areValid = true;
  for (const { path, text } of files) {
    const checked = await check.check({ text, format: path.endsWith('.json') ? 'json' : 'yaml' });
    areValid &&= checked.ok;
    if (asJson) lines.push(JSON.stringify({ path, valid: checked.ok, ...(checked.ok && { hash: checked.hash }), diagnostics: checked.diagnostics }));
    else {
      for (const { line, column, severity, code, message, hint } of checked.diagnostics) {
        lines.push(`${path}:${line}:${column}: ${severity} ${code}: ${message}${hint === undefined ? '' : `. ${hint}`}`);
      }
      lines.push(`${path}: ${checked.ok ? `valid, ${checked.hash}` : 'not valid'}`);
    }
  }
  return { output: lines.map((line) => `${line}\n`).join(''), areValid };
};
