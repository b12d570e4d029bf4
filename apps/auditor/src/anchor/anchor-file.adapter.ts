import { mkdir, open, readFile, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { AnchorSink } from './anchor-sink.port';
import type { Anchor } from './rolling-root';

const anchorLine = () => z.object({ position: z.number().int().positive(), root: z.string().regex(/^[0-9a-f]{64}$/) });

/**
 * One line of JSON per anchor, only ever appended to, on the disk before the write is done. A line that was cut by a crash
 * stays, and the same anchor is written again behind it.
 */
export class AnchorFileAdapter implements AnchorSink {
  constructor(private readonly path: string) {}

  async newest(): Promise<number> {
    return (await readAnchorFile(this.path)).anchors.at(-1)?.position ?? 0;
  }

  async write(anchors: readonly Anchor[]): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true });
    const file = await open(this.path, 'a+');
    try {
      const end = (await isCut(file)) ? '\n' : '';
      await file.appendFile(end + anchors.map(({ position, root }) => `${JSON.stringify({ position, root })}\n`).join(''));
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

export interface AnchorFile {
  readonly anchors: readonly Anchor[];
  /** Numbers of lines that are not anchors, from 1. */
  readonly badLines: readonly number[];
}

/** An absent file holds no anchors. A line that was cut by a crash counts as not written: it has no end, or the next one begins with it. */
export const readAnchorFile = async (path: string): Promise<AnchorFile> => {
  const schema = anchorLine();
  const anchors: Anchor[] = [];
  const badLines: number[] = [];
  const lines = (await textOf(path)).split('\n').slice(0, -1);
  for (const [index, line] of lines.entries()) {
    const anchor = parseLine(line, schema);
    if (anchor !== undefined) anchors.push(anchor);
    else if (line === '' || lines[index + 1]?.startsWith(line) !== true) badLines.push(index + 1);
  }
  return { anchors, badLines };
};

const isCut = async (file: FileHandle): Promise<boolean> => {
  const { size } = await file.stat();
  return size > 0 && (await file.read({ buffer: Buffer.alloc(1), position: size - 1 })).buffer.toString() !== '\n';
};

const textOf = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: unknown) => {
    if (isAbsence(error)) return '';
    throw error;
  });

const isAbsence = (error: unknown): boolean => typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';

const parseLine = (line: string, schema: z.ZodType<Anchor>): Anchor | undefined => {
  try {
    return schema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
};
