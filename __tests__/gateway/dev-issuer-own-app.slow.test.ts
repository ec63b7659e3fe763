import { readFile } from 'node:fs/promises';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { makeGatewayFolder } from '../support/gateway-folder.js';
import { startGuardedServer } from '../support/guarded-server.js';
import { freePort } from '../support/loopback-server.js';
import { logIn } from '../support/mcp-login.js';
import { CLI, endPrograms, ROOT, startNode } from '../support/program.js';

afterAll(() => endPrograms());

test('an app whose URL the file names as resource uses the login of --dev-issuer, as docs/command.md says', async () => {
  const devIssuerPort = await freePort();
  const issuer = `http://localhost:${devIssuerPort}`;
  const { resource } = await startGuardedServer(() => ({ issuer, jwks: { url: `${issuer}/jwks` } }));
  const folder = await makeGatewayFolder();
  onTestFinished(() => folder.remove());
  const sample = await readFile(`${ROOT}samples/dev-issuer/config.yaml`, 'utf8');
  const config = sample
    .replace('http://localhost:3000/mcp', resource)
    .replace('port: 3000', `port: ${await freePort()}`);
  const file = await folder.write('config.yaml', config);
  const args = ['-f', file, '--host', '127.0.0.1', '--dev-issuer', '--dev-issuer-port', `${devIssuerPort}`];
  await startNode([CLI, ...args]).says(/Listening on/);
  const { callTool, close } = await logIn('v2', resource, () => ({}));
  onTestFinished(close);
  expect(await callTool('whoami')).toMatchObject({ content: [{ text: expect.stringContaining('scopes') }] });
});
