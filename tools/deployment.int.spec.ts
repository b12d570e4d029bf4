import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';

const ROOT = join(__dirname, '..');
const SERVICES = ['gateway', 'planner', 'executor', 'auditor'];

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly args: { readonly APP: string } };
  readonly command?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly healthcheck?: { readonly test: readonly string[]; readonly interval: string };
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const compose: { services: Record<string, Service>; volumes: Record<string, unknown> } = parse(read('docker-compose.yml'), { merge: true });
const service = (name: string): Service => compose.services[name] ?? {};

/** The services a service waits for, in turn with what those wait for. */
const waitsFor = (name: string, seen: readonly string[] = []): readonly string[] => {
  if (seen.includes(name)) throw new Error(`depends_on goes round in circles at ${name}`);
  const direct = Object.keys(service(name).depends_on ?? {});
  return [...direct, ...direct.flatMap((each) => waitsFor(each, [...seen, name]))];
};

/** Names of the packages that a source loads at run time: not types, not Node's own, not ours. */
const packagesOf = (source: string): readonly string[] =>
  [...source.matchAll(/(?:^(?:import|export) (?!type )(?:[^';]* from )?|\bimport\(|\brequire\()'((?:@[^/']+\/)?[^/'.][^/']*)/gm)]
    .map(([, name]) => name ?? '')
    .filter((name) => !/^(node:|@foldwork\/)/.test(name));

const hasDockerCompose = (): boolean => spawnSync('docker', ['compose', 'version'], { stdio: 'ignore' }).status === 0;

describe('docker-compose.yml', () => {
  it('has the stores, the four services, a StatsD sink and Grafana', () => {
    expect(Object.keys(compose.services).sort()).toEqual([...SERVICES, 'grafana', 'nats', 'postgres', 'statsd'].sort());
    for (const name of SERVICES) expect(service(name).build?.args.APP).toBe(name);
  });

  it.each(Object.keys(compose.services))('%s has an image or a build, and a health check', (name) => {
    const { image, build, healthcheck } = service(name);
    expect([image !== undefined, build !== undefined].filter(Boolean)).toHaveLength(1);
    expect(image ?? ':pinned').toMatch(/:(?!latest)/);
    expect(healthcheck?.test.length).toBeGreaterThan(1);
    expect(healthcheck?.interval).toBeDefined();
  });

  it('starts a service only when what it needs is healthy: stores, then planner, executor and auditor, then the gateway', () => {
    for (const each of Object.values(compose.services)) {
      for (const { condition } of Object.values(each.depends_on ?? {})) expect(condition).toBe('service_healthy');
    }
    for (const name of ['planner', 'executor', 'auditor']) expect(waitsFor(name)).toEqual(expect.arrayContaining(['postgres', 'nats']));
    expect(waitsFor('gateway')).toEqual(expect.arrayContaining(['postgres', 'nats', 'planner', 'executor', 'auditor']));
    expect(waitsFor('grafana')).toContain('statsd');
  });

  it('gives the services known settings only, and those they cannot do without', () => {
    // a test of libs/platform keeps this file equal to the settings
    const known = [...read('.env.example').matchAll(/^(?:# )?(FOLDWORK_\w+)=/gm)].map(([, variable]) => variable);
    for (const name of SERVICES) {
      const given = Object.keys(service(name).environment ?? {});
      expect(known).toEqual(expect.arrayContaining(given));
      expect(given).toEqual(expect.arrayContaining(['FOLDWORK_DATABASE_URL', 'FOLDWORK_NATS_URL']));
    }
    expect(service('auditor').environment?.['FOLDWORK_STATSD_HOST']).toBe('statsd');
  });

  it('keeps what the stores write in named volumes and mounts only files that exist', () => {
    const mounts = Object.values(compose.services).flatMap(({ volumes }) => volumes ?? []).map((each) => each.split(':')[0] ?? '');
    for (const source of mounts) {
      if (source.startsWith('.')) expect([source, existsSync(join(ROOT, source))]).toEqual([source, true]);
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
    expect(service('postgres').volumes?.join()).toContain('postgres-data:');
    expect(service('nats').volumes?.join()).toContain('nats-data:/data');
  });

  it('publishes ports on loopback only', () => {
    const ports = Object.values(compose.services).flatMap((each) => each.ports ?? []);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('keeps JetStream on files with a sync at every write, and fsync on in Postgres', () => {
    expect(read('deploy/nats/nats.conf')).toMatch(/jetstream \{[^}]*store_dir: \/data[^}]*sync_interval: always/);
    expect(service('nats').command).toEqual(['-c', '/etc/nats/nats.conf']);
    expect(service('postgres').command).toEqual(expect.arrayContaining(['fsync=on', 'synchronous_commit=on']));
  });

  (hasDockerCompose() ? it : it.skip)('is accepted by docker compose', () => {
    execFileSync('docker', ['compose', '-f', 'docker-compose.yml', 'config', '--quiet'], { cwd: ROOT });
  });
});

describe('Grafana', () => {
  const dashboard: { panels: { title: string; targets: { target: string }[]; datasource: { uid: string } }[] } = JSON.parse(
    read('deploy/grafana/dashboards/foldwork.json'),
  );

  it('is provisioned with the data source that its dashboard asks', () => {
    const provisioned: { datasources: { uid: string; url: string }[] } = parse(read('deploy/grafana/provisioning/datasources/graphite.yml'));
    const uids = provisioned.datasources.map(({ uid }) => uid);
    for (const { datasource } of dashboard.panels) expect(uids).toContain(datasource.uid);
    expect(provisioned.datasources.map(({ url }) => new URL(url).hostname)).toEqual(['statsd']);
  });

  it('shows metrics under the prefix that the auditor is given', () => {
    const prefix = String(service('auditor').environment?.['FOLDWORK_STATSD_PREFIX']);
    const targets = dashboard.panels.flatMap((panel) => panel.targets.map(({ target }) => target));
    expect(targets.length).toBeGreaterThan(10);
    for (const target of targets) expect(target).toMatch(new RegExp(`stats\\.(counters|timers|gauges)\\.${prefix}\\.`));
  });
});

describe('Dockerfile', () => {
  const dockerfile = read('Dockerfile');

  const kept = read('.dockerignore').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1));

  it('builds from what .dockerignore leaves in, and what was built starts', () => {
    const context = mkdtempSync(join(tmpdir(), 'foldwork-context-'));
    try {
      const isSent = (path: string): boolean => !/\.spec\.ts$|\/node_modules$/.test(path);
      for (const path of kept) cpSync(join(ROOT, path), join(context, path), { recursive: true, filter: isSent });
      symlinkSync(join(ROOT, 'node_modules'), join(context, 'node_modules'));
      const { PATH, HOME } = process.env;
      const run = (command: string, ...rest: string[]) => spawnSync(command, rest, { cwd: context, env: { PATH, HOME }, encoding: 'utf8' });
      const build = run('npm', 'run', '--silent', 'build:run');
      expect([build.status, build.stdout + build.stderr]).toEqual([0, expect.stringContaining('Successfully ran target build')]);
      for (const app of SERVICES) expect(run('node', `dist/apps/${app}/src/main.js`).stderr).toContain('FOLDWORK_DATABASE_URL is required');
    } finally {
      rmSync(context, { recursive: true });
    }
  }, 120_000);

  it('copies nothing that .dockerignore leaves out', () => {
    const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, list]) => (list ?? '').split(' '));
    for (const source of sources.filter((each) => each !== '.')) expect(kept).toContain(source);
  });

  it('runs as an unprivileged user on the Node version of the workspace', () => {
    const wanted: { devDependencies: { node: string } } = JSON.parse(read('package.json'));
    const major = /\d+/.exec(wanted.devDependencies.node)?.[0];
    expect([...dockerfile.matchAll(/^FROM node:(\d+)-/gm)].map(([, version]) => version)).toEqual([major, major, major]);
    expect(dockerfile).toMatch(/^USER node$/m);
  });

  it('gives the standalone server and the auditor a folder that they may write to', () => {
    const folder = /^ENV .*\bFOLDWORK_DATA_DIR=(\S+)/m.exec(dockerfile)?.[1] ?? '';
    expect(dockerfile).toContain(`RUN mkdir ${folder} && chown node:node ${folder}`);
    expect(service('auditor').environment?.['FOLDWORK_ANCHOR_FILE']).toMatch(new RegExp(`^${folder}/`));
    expect(service('auditor').volumes).toEqual([`auditor-data:${folder}`]);
  });

  it('makes images that share all of their size: the app is chosen after everything is copied', () => {
    const image = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    expect(image.indexOf('ARG APP')).toBeGreaterThan(image.lastIndexOf('\nCOPY '));
  });

  it.each(['', 'nonsense'])('says what to build when the app is %j', (APP) => {
    const check = /^RUN (test .*)$/m.exec(dockerfile)?.[1] ?? '';
    const { status, stderr } = spawnSync('/bin/sh', ['-c', check], { cwd: ROOT, env: { PATH: process.env['PATH'], APP }, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'Say which app to build: --build-arg APP=gateway\n' });
  });

  it('installs all that the services import: none of it is a dependency for development only', () => {
    expect(dockerfile).toContain('RUN npm ci --omit=dev');
    const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(read('package.json'));
    const sources = globSync('{apps,libs}/*/src/**/*.ts', { cwd: ROOT }).filter((path) => !/^libs\/testing\/|\.(spec|contract|bench)\.ts$/.test(path));
    const imported = new Set(sources.flatMap((path) => packagesOf(read(path))));
    expect(imported).toContain('pg');
    expect([...imported].filter((name) => !(name in dependencies))).toEqual([]);
  });

  it.each(SERVICES)('the entry point of %s ends with 1 and one message without its settings', (app) => {
    const [shell = '', ...rest]: string[] = JSON.parse(/^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]');
    const { status, stderr, stdout } = spawnSync(shell, rest, {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], APP: app },
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect({ app, status, output: stderr + stdout }).toMatchObject({ status: 1, output: expect.stringContaining('FOLDWORK_DATABASE_URL is required') });
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
