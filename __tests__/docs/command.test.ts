import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { BACKEND_OPTIONS, CHILD_OPTIONS, SERVER_OPTIONS } from '../../src/gateway/config/backend-options.js';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { LISTENER_POLICIES, ROUTE_POLICIES } from '../../src/gateway/config/policy-levels.js';
import { BACKENDS_OUT, POLICIES_OUT, SECTIONS_OUT, TARGETS_OUT } from '../../src/gateway/config/stays-out.js';
import { ExpandedTexts } from '../../src/gateway/config/variables.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { SERVER } from '../support/certificates.js';
import { blockToRun } from '../support/code-blocks.js';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { ROOT } from '../support/program.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const page = readFileSync(`${ROOT}docs/command.md`, 'utf8');
const section = (title: string) => new RegExp(`^### ${title}$([\\s\\S]*?)^##`, 'm').exec(page)?.[1] ?? '';
const namesIn = (text: string) => [...text.matchAll(/`(?:[a-z]+\.)?(\w+)`/g)].map(([, name]) => name);

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  await folder.write('tls.crt', SERVER.cert);
  await folder.write('tls.key', SERVER.key);
  await folder.write('signing-key.pem', SERVER.key);
  for (const name of ['notes-key', 'client-secret', 'oauth-proxy-secret'])
    await folder.write(`${name}.txt`, `${'s'.repeat(40)}\n`);
  return () => folder.remove();
});

const env = { ISSUER: 'https://auth.example.com', KEY_HASH: `sha256:${'0'.repeat(64)}` };

async function start(text: string): Promise<readonly string[]> {
  const { lines, logger } = createRecordingLogger();
  const config = parseConfigFile(text, folder.path, { texts: new ExpandedTexts(env) });
  await createGateway(config, logger).close();
  return [...config.binds.map(({ port, at }) => `${at}: ${port}`), ...lines];
}

describe('the files of docs/command.md start', () => {
  test('simple', async () => {
    expect(await start(blockToRun('docs/command.md', 'simple'))).toEqual(['mcp: 3000']);
  });
  test('gateways', async () => {
    expect(await start(blockToRun('docs/command.md', 'gateways'))).toEqual(['gateways.default: 8443']);
  });
  test('secrets', async () => {
    expect(await start(blockToRun('docs/command.md', 'secrets'))).toEqual(['mcp: 3000']);
  });
  test('jwt-sign', async () => {
    expect(await start(blockToRun('docs/command.md', 'jwt-sign'))).toEqual(['mcp: 3000']);
  });
  test('policies', async () => {
    expect(await start(blockToRun('docs/command.md', 'policies'))).toEqual(['mcp: 3000']);
  });
});

describe('docs/command.md names', () => {
  test.each([
    ['every policy of a route', 'Policies', ROUTE_POLICIES],
    ['every policy of a listener', 'Listeners', LISTENER_POLICIES],
    ['every option of a program and of a remote server', 'Targets', [...CHILD_OPTIONS, ...SERVER_OPTIONS]],
    ['every option of all targets', 'Options of all targets', BACKEND_OPTIONS],
    [
      'everything that is not supported',
      'What is not supported',
      [SECTIONS_OUT, BACKENDS_OUT, TARGETS_OUT, POLICIES_OUT].flatMap((names) => [...names.keys()]),
    ],
  ])('%s', (_what, title, names) => {
    const named = namesIn(section(title));
    expect(names.filter((name) => !named.includes(name))).toEqual([]);
  });
});
