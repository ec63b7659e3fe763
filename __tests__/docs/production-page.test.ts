import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { parseCommandLine } from '../../src/gateway/command-line.js';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { ExpandedTexts } from '../../src/gateway/config/variables.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { MAX_STOP_SECONDS } from '../../src/targets/stdio/process-tree.js';
import { instructionsOf } from '../support/dockerfile.js';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { ROOT } from '../support/program.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const read = (file: string) => readFileSync(`${ROOT}samples/production/${file}`, 'utf8');

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  await folder.write('notes-key', 'a-secret-of-notes');
  return () => folder.remove();
});

/** Starts the gateway of a file whose secrets are in the test's folder; returns its warnings. */
async function start(text: string, env: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  const { lines, logger } = createRecordingLogger();
  const config = parseConfigFile(text, folder.path, { texts: new ExpandedTexts(env) });
  await createGateway(config, logger).close();
  return lines;
}

/** The command line of a text that starts the command. */
const argumentsIn = (line: string) => parseCommandLine(line.trim().split(' ').slice(1));

test('the file starts, with secrets beside it or in the folder that SECRETS names', async () => {
  expect(await start(read('config.yaml'))).toEqual([]);
  expect(await start(read('config.yaml'), { SECRETS: folder.path })).toEqual([]);
  await expect(start(read('config.yaml'), { SECRETS: '/missing' })).rejects.toThrow('/missing/notes-key');
});

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data: Readonly<Record<string, string>>;
  // biome-ignore lint/suspicious/noExplicitAny: a manifest of Kubernetes, which has no types here
  readonly spec: any;
}

describe('the manifests for Kubernetes', () => {
  // Kubernetes reads YAML 1.1, with octal numbers.
  const documents = parseAllDocuments(read('kubernetes.yaml'), { version: '1.1', uniqueKeys: true });
  const manifests = documents.map((document) => document.toJS() as Manifest);
  const [configMap, deployment, service] = manifests as [Manifest, Manifest, Manifest];
  const pod = deployment.spec.template.spec;
  const [container] = pod.containers;
  const portOf = (name: string): number =>
    container.ports.find((port: { name: string }) => port.name === name).containerPort;

  test('are YAML without errors', () => {
    expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
    expect(manifests.map(({ kind }) => kind)).toEqual(['ConfigMap', 'Deployment', 'Service']);
  });

  test('have a file that starts, on the ports of the container', async () => {
    const text = configMap.data['config.yaml'] ?? '';
    expect(await start(text.replace('/secrets/', `${folder.path}/`))).toEqual([]);
    expect(parse(text)).toMatchObject({
      config: { readinessAddr: `0.0.0.0:${portOf('health')}` },
      mcp: { port: portOf('http') },
    });
  });

  test('start the command with arguments that it knows, and mount what these and the file name', () => {
    expect(parseCommandLine(container.args)).toMatchObject({ action: 'run', file: '/config/config.yaml' });
    const mounts = new Map<string, string>(
      container.volumeMounts.map((mount: { name: string; mountPath: string }) => [mount.mountPath, mount.name]),
    );
    expect([...mounts.keys()]).toEqual(['/config', '/secrets', '/tmp']);
    expect(pod.volumes.map(({ name }: { name: string }) => name)).toEqual([...mounts.values()]);
    expect(container.volumeMounts.some((mount: object) => 'subPath' in mount)).toBe(false);
    expect(pod.volumes[0].configMap.name).toBe(configMap.metadata.name);
    expect(pod.volumes[1].secret.defaultMode).toBe(0o440);
  });

  test('probe the paths that the command has', () => {
    const { startupProbe, livenessProbe, readinessProbe } = container;
    expect([startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet)).toEqual([
      { path: '/healthz', port: 'health' },
      { path: '/healthz', port: 'health' },
      { path: '/readyz', port: 'health' },
    ]);
  });

  test('give the command the time that it needs to stop', () => {
    const preStop = Number(container.lifecycle.preStop.exec.command[1]);
    const drain = Number(container.args[container.args.indexOf('--drain-seconds') + 1]);
    expect(preStop + drain + MAX_STOP_SECONDS).toBeLessThan(pod.terminationGracePeriodSeconds);
  });

  test('have the user of the image, and labels that find the pod', () => {
    const users = instructionsOf('Dockerfile').filter(({ name }) => name === 'USER');
    expect(users.at(-1)?.text).toBe(`${pod.securityContext.runAsUser}:${pod.securityContext.fsGroup}`);
    expect(deployment.spec.selector.matchLabels).toEqual(deployment.spec.template.metadata.labels);
    expect(service.spec.selector).toEqual(deployment.spec.template.metadata.labels);
    expect(service.spec.ports[0].targetPort).toBe('http');
  });
});

test('the unit of systemd starts the command, and gives it the time that it needs to stop', () => {
  const unit = read('express-mcp-auth.service');
  const setting = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? '';
  expect(argumentsIn(setting('ExecStart'))).toMatchObject({ action: 'run', file: '/etc/mcp/config.yaml' });
  const drain = Number(/--drain-seconds (\d+)/.exec(unit)?.[1]);
  expect(drain + MAX_STOP_SECONDS).toBeLessThan(Number(setting('TimeoutStopSec')));
  expect(setting('LoadCredential')).toMatch(/^notes-key:/);
});

interface Pm2Config {
  readonly apps: readonly [
    { readonly script: string; readonly args: readonly string[]; readonly kill_timeout: number },
  ];
}

test('the file for PM2 starts the command, and gives it the time that it needs to stop', () => {
  const load = createRequire(import.meta.url);
  const { apps } = load(`${ROOT}samples/production/ecosystem.config.cjs`) as Pm2Config;
  const [{ script, args, kill_timeout: killMs }] = apps;
  const manifest = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { bin: Record<string, string> };
  expect(script).toBe(`node_modules/express-mcp-auth/${manifest.bin['express-mcp-auth']}`);
  expect(parseCommandLine(args)).toMatchObject({ action: 'run', file: 'config.yaml' });
  const drain = Number(args[args.indexOf('--drain-seconds') + 1]);
  expect((drain + MAX_STOP_SECONDS) * 1_000).toBeLessThan(killMs);
});

test('the image with a program builds upon the one that docker.sh builds, and ends as a user without rights', () => {
  const instructions = instructionsOf('samples/production/Dockerfile');
  const [, tag] = /docker build -t (\S+) \.$/m.exec(read('docker.sh')) ?? [];
  expect(instructions.find(({ name }) => name === 'FROM')?.text).toBe(tag);
  expect(instructions.at(-1)).toMatchObject({ name: 'USER', text: '1000:1000' });
});
