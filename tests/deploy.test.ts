/** What is shipped to run a gateway: it parses, names what exists, pins what it fetches, and holds no secret. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig } from '../packages/gateway/src/config.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const textOf = (file: string) => readFileSync(join(root, file), 'utf8');
const yamlOf = (file: string) => parse(textOf(file));
const isThere = (file: string) => existsSync(join(root, file));

const ADMIN_KEY = 'a-key-for-this-test-alone';
/** A version, not whatever is newest on the day. */
const PINNED = /^[a-z0-9./-]+:v?\d+\.\d+(?:\.\d+)?(?:-[a-z]+)?$/;
const shipped = [
  ...[
    'Dockerfile',
    '.dockerignore',
    'compose.yaml',
    'deploy/systemd/onetake.service',
    'deploy/kubernetes/onetake.yaml',
  ],
  ...readdirSync(join(root, 'deploy'), { recursive: true, encoding: 'utf8' })
    .map((file) => join('deploy', file))
    .filter((file) => /\.(?:ya?ml|json)$/.test(file)),
];

/** What the gateway reads in such an environment; fails where it would not start, or where nothing reads a variable. */
function configured(env: Readonly<Record<string, string>>) {
  const config = loadConfig({ env, cwd: join(root, 'deploy') });
  assert.deepEqual(config.notices, []);
  return config;
}

function instructions(): readonly (readonly [string, string])[] {
  const lines = textOf('Dockerfile').replace(/\\\n/g, ' ').split('\n');
  return lines
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1).trim()] as const);
}

const all = (name: string) => instructions().flatMap(([one, rest]) => (one === name ? [rest] : []));

test('the image is built on the Node that the workspace pins, from files that are there', () => {
  const { devDependencies, workspaces } = JSON.parse(textOf('package.json'));
  for (const from of all('FROM')) assert.equal(from.split(' ')[0], `node:${devDependencies.node}-slim`);
  const copied = all('COPY')
    .filter((copy) => !copy.startsWith('--from=') && copy !== '. .')
    .flatMap((copy) => copy.split(/\s+/).slice(0, -1));
  for (const file of copied) assert.ok(isThere(file), file);
  for (const workspace of workspaces) assert.ok(copied.includes(`${workspace}/package.json`), workspace);
  const installed = all('RUN').find((run) => run.includes('npm ci')) ?? '';
  const { files } = JSON.parse(textOf('packages/gateway/package.json'));
  for (const name of ['core', 'sandbox', 'gateway']) {
    const { name: workspace, private: isPrivate } = JSON.parse(textOf(`packages/${name}/package.json`));
    assert.ok(installed.includes(`--workspace ${workspace}`) && isPrivate !== true, workspace);
  }
  const image = all('COPY').join('\n');
  for (const part of files) assert.ok(image.includes(`packages/gateway/${part} packages/gateway/${part}`), part);
  const ignored = textOf('.dockerignore').split('\n');
  for (const name of [
    'package.json',
    'package-lock.json',
    'tsconfig.base.json',
    'scripts/run.mjs',
    'packages',
    'LICENSE',
  ])
    assert.ok(ignored.includes(`!${name}`), name);
});

test('its container is nobody’s root, says how it is, and starts with a key alone', () => {
  const order = instructions().map(([name]) => name);
  assert.equal(all('USER').at(-1), 'node');
  assert.ok(order.lastIndexOf('USER') > order.lastIndexOf('RUN'), 'nothing is installed by who runs it');
  assert.deepEqual([all('VOLUME'), all('EXPOSE'), all('CMD')], [['/data'], ['8484'], ['["start"]']]);
  assert.match(all('HEALTHCHECK')[0] ?? '', /\/health\/live/);
  const program = (JSON.parse(all('ENTRYPOINT')[0] ?? '[]') as string[]).at(-1) ?? '';
  assert.ok(program.endsWith('.js') && isThere(program), program);
  const env = Object.fromEntries((all('ENV')[0] ?? '').split(' ').map((pair) => pair.split('=') as [string, string]));
  assert.throws(() => configured(env), /ONETAKE_ADMIN_KEY/);
  const { host, port, dataDir } = configured({ ...env, ONETAKE_ADMIN_KEY: ADMIN_KEY });
  assert.deepEqual([host, port, dataDir], ['0.0.0.0', 8484, '/data']);
});

interface ComposeService {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly [setting: string]: unknown;
}

test('compose starts the gateway alone, and the rest on demand, for this machine', () => {
  const { services, volumes } = yamlOf('compose.yaml');
  const entries = Object.entries<ComposeService>(services);
  assert.deepEqual(
    entries.filter(([, { profiles }]) => profiles === undefined).map(([name]) => name),
    ['onetake'],
  );
  for (const [name, { image, ports = [], volumes: mounts = [] }] of entries) {
    assert.match(image, PINNED, name);
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:/, name);
    for (const mount of mounts) {
      const source = mount.split(':')[0] ?? '';
      assert.ok(source.startsWith('.') ? isThere(source) : source in volumes, `${name}: ${source}`);
    }
  }
  const { environment = {}, stop_grace_period } = services.onetake as ComposeService;
  assert.equal(stop_grace_period, '330s');
  assert.match(environment.ONETAKE_ADMIN_KEY ?? '', /^\$\{ONETAKE_ADMIN_KEY:\?/);
  const { version } = JSON.parse(textOf('packages/gateway/package.json'));
  assert.equal(services.onetake.image, `onetake:${version}`);
  const filled = Object.entries(environment).map(([name, value]) => [name, value.replace(/^\$\{[^}]*\}$/, '')]);
  configured({ ...Object.fromEntries(filled), ONETAKE_ADMIN_KEY: ADMIN_KEY });
});

test('Prometheus and Grafana find the gateway, each other and what they show', () => {
  const { services } = yamlOf('compose.yaml');
  const config = yamlOf('deploy/prometheus/prometheus.yaml');
  const [job] = config.scrape_configs;
  const asked = job.dns_sd_configs[0];
  // By its address: a gateway refuses a name in Host that is none of its own.
  assert.deepEqual([asked.type, asked.port, asked.names], ['A', 8484, ['onetake']]);
  assert.ok('onetake' in services);
  const [secret] = services.prometheus.secrets;
  assert.equal(secret.target, `/etc/prometheus/${job.authorization.credentials_file}`);
  const files = ['prometheus.yaml', ...(config.rule_files as string[])];
  for (const file of files)
    assert.ok(services.prometheus.volumes.includes(`./deploy/prometheus/${file}:/etc/prometheus/${file}:ro`), file);
  const [source] = yamlOf('deploy/grafana/provisioning/datasources/prometheus.yaml').datasources;
  assert.ok(new URL(source.url).hostname in services);
  const [provider] = yamlOf('deploy/grafana/provisioning/dashboards/onetake.yaml').providers;
  const mounted = (services.grafana as ComposeService).volumes?.map((mount) => mount.split(':')[1] ?? '') ?? [];
  assert.ok(mounted.includes(`${provider.options.path}/onetake.json`));
  const uids = [...textOf('deploy/grafana/onetake.json').matchAll(/"type":\s*"prometheus",\s*"uid":\s*"([^"]+)"/g)];
  for (const [, uid = ''] of uids) assert.ok(uid === source.uid || uid.startsWith('$'), uid);
});

test('the unit starts what is there, waits for pictures in flight, and gives away as little as it can', () => {
  const lines = textOf('deploy/systemd/onetake.service')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const values = (name: string) =>
    lines.filter((line) => line.startsWith(`${name}=`)).map((line) => line.slice(name.length + 1));
  assert.deepEqual(
    lines.filter((line) => line.startsWith('[')),
    ['[Unit]', '[Service]', '[Install]'],
  );
  for (const line of lines) assert.match(line, /^(?:\[[A-Z]\w+\]|[A-Z]\w+=.*)$/);
  const program = /node (\S+) start$/.exec(values('ExecStart')[0] ?? '')?.[1] ?? '';
  assert.ok(isThere(program), program);
  assert.deepEqual([values('TimeoutStopSec'), values('KillMode')], [['330'], ['mixed']]);
  for (const setting of ['DynamicUser', 'NoNewPrivileges', 'ProtectHome', 'PrivateTmp', 'RestrictNamespaces'])
    assert.deepEqual(values(setting), ['yes'], setting);
  assert.deepEqual([values('ProtectSystem'), values('CapabilityBoundingSet')], [['strict'], ['']]);
  const env = Object.fromEntries(values('Environment').map((pair) => pair.split('=') as [string, string]));
  assert.equal(configured(env).host, '127.0.0.1');
});

test('the manifest runs one owner of its data, and takes its keys from a secret that is not in it', () => {
  const documents = parseAllDocuments(textOf('deploy/kubernetes/onetake.yaml')).map((one) => one.toJS());
  assert.deepEqual(
    documents.map(({ kind }) => kind),
    ['PersistentVolumeClaim', 'Deployment', 'Service'],
  );
  const [claim, { spec: deployment }, { spec: service }] = documents;
  const { containers, volumes, ...pod } = deployment.template.spec;
  const [container] = containers;
  assert.deepEqual([deployment.replicas, deployment.strategy.type], [1, 'Recreate']);
  assert.deepEqual(deployment.selector.matchLabels, deployment.template.metadata.labels);
  assert.deepEqual(service.selector, deployment.template.metadata.labels);
  assert.equal(volumes[0].persistentVolumeClaim.claimName, claim.metadata.name);
  assert.deepEqual([pod.securityContext.runAsNonRoot, pod.terminationGracePeriodSeconds], [true, 330]);
  assert.equal(container.securityContext.readOnlyRootFilesystem, true);
  assert.match(container.image, PINNED);
  for (const probe of ['startupProbe', 'livenessProbe']) assert.equal(container[probe].httpGet.path, '/health/live');
  assert.equal(container.readinessProbe.httpGet.path, '/health/ready');
  const env = Object.fromEntries(container.env.map(({ name, value }: Record<string, string>) => [name, value]));
  assert.throws(() => configured(env), /ONETAKE_ADMIN_KEY/);
  const { port } = configured({ ...env, ONETAKE_ADMIN_KEY: ADMIN_KEY });
  assert.equal(port, container.ports[0].containerPort);
});

test('nothing that is shipped holds a secret', () => {
  for (const file of shipped) {
    const text = textOf(file);
    assert.doesNotMatch(text, /sk-[A-Za-z0-9]{8}|\b[0-9a-f]{32,}\b|-----BEGIN/, file);
    for (const [line, value = ''] of text.matchAll(
      /\b[A-Z0-9_]*(?:KEY|PASSWORD|TOKEN|SECRET)S?(?:__FILE)?\s*[:=]\s*(\S*)/g,
    ))
      assert.match(value, /^(?:|["']?\$.*|…\S*|\/run\/secrets\/\w+)$/, `${file}: ${line}`);
  }
});
