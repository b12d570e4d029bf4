import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const ROOT = join(__dirname, '..');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Documents that git knows or would take, so that a forgotten one is checked too. */
const documents = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(ROOT, path)));

const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```/gm, '');

/** The anchor that a heading gets where the documents are read. */
const anchorOf = (heading: string): string =>
  heading.trim().toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(/\s/g, '-');

const anchorsIn = (path: string): readonly string[] =>
  [...withoutCode(read(path)).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading ?? ''));

const isMissing = (document: string, link: string): boolean => {
  const [target = '', anchor] = link.split('#');
  const path = target === '' ? document : normalize(join(dirname(document), target));
  if (!existsSync(join(ROOT, path))) return true;
  return anchor !== undefined && !anchorsIn(path).includes(anchor);
};

const FOLDERS = /^(apps|libs|tools|deploy|docs|e2e|benchmarks|examples|\.ci)\//;
const FILES_AT_ROOT = /^[A-Za-z.-]+\.(yml|json|mjs|cjs|md)$|^Dockerfile$|^\.env\.example$/;

/** What is written as code and looks like a path of the workspace. */
const pathsNamed = (text: string): readonly string[] =>
  [...withoutCode(text).matchAll(/`([^`\s]+)`/g)]
    .map(([, code]) => code ?? '')
    .filter((code) => (FOLDERS.test(code) && !/[*<{…]/.test(code)) || FILES_AT_ROOT.test(code));

/** Written by commands that the documents name; absent until somebody runs them. */
const MADE_LATER = new Set(['out.json', 'package.json', 'listing.yml']);

/** A stream of NATS, not a setting. */
const FEED_STREAM = 'FOLDWORK_EVENTS';

describe.each(documents)('%s', (document) => {
  const text = read(document);

  it('links only to files and headings that exist', () => {
    const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link ?? '');
    expect(links.filter((link) => !/^(https?|mailto):/.test(link) && isMissing(document, link))).toEqual([]);
  });

  it('names only paths that exist', () => {
    const missing = pathsNamed(text).filter((path) => !MADE_LATER.has(path) && !existsSync(join(ROOT, path)));
    expect(missing).toEqual([]);
  });

  it('names only npm scripts, apps and settings that exist', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(read('package.json'));
    const called = [...text.matchAll(/npm (?:run )?(?:--silent )?(start|test|demo|bench|lint|build|format|typecheck|(?<=run )[a-z:-]+)/g)];
    for (const [, script] of called) expect(Object.keys(scripts)).toContain(script);
    for (const [, app] of text.matchAll(/nx serve ([a-z]+)/g)) expect([app, existsSync(join(ROOT, `apps/${app}/project.json`))]).toEqual([app, true]);
    // a test of libs/platform keeps this file equal to the settings
    const settings = new Set([...read('.env.example').matchAll(/^(?:# )?(FOLDWORK_\w+)=/gm)].map(([, variable]) => variable));
    const named = [...text.matchAll(/`(FOLDWORK_(?!TEST_)[A-Z_]+)/g)].map(([, name]) => name ?? '');
    expect(named.filter((name) => !settings.has(name) && name !== FEED_STREAM)).toEqual([]);
  });
});

describe('ARCHITECTURE.md', () => {
  it('[S3-60] answers "where is …?" with files and folders only, each under its right kind of name', () => {
    const table = /## Where is …\?\n([\s\S]*?)\n## /.exec(read('ARCHITECTURE.md'))?.[1] ?? '';
    const paths = pathsNamed(table);
    expect(paths.length).toBeGreaterThan(25);
    for (const path of paths) expect([path, statSync(join(ROOT, path)).isDirectory()]).toEqual([path, path.endsWith('/')]);
  });
});

describe('docs/adr', () => {
  it('lists every record, and each record says when, why and what follows', () => {
    const index = read('docs/adr/README.md');
    const records = documents.filter((path) => /^docs\/adr\/\d{4}-/.test(path));
    expect(records.length).toBeGreaterThanOrEqual(7);
    for (const path of records) {
      expect(index).toContain(`](${path.slice('docs/adr/'.length)})`);
      for (const part of ['Date: ', 'Status: ', '## Context', '## Decision', '## Consequences']) expect([path, read(path).includes(part)]).toEqual([path, true]);
    }
  });
});
