import { afterAll, beforeAll, expect, test } from 'vitest';
import { configText } from '../support/config-text.js';
import { startFaultyServer } from '../support/faulty-server.js';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { startIntrospectionServer } from '../support/introspection-server.js';
import { CLI, endPrograms, startNode } from '../support/program.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
});
afterAll(async () => {
  await endPrograms();
  await folder.remove();
});

/** Writes a file whose opaque tokens are introspected with a secret of a file of its own. */
async function writeIntrospecting(secretFile: string) {
  const server = await startIntrospectionServer();
  const { introspection } = server;
  const { url, issuer } = await startFaultyServer({ policy: () => ({ introspection }) });
  await folder.write('secret', `${introspection.clientSecret}\n`);
  await folder.write('token', server.issue({ iss: issuer, aud: url, scope: 'mcp:call' }));
  const mcpAuthentication = {
    issuer,
    jwks: { url: `${issuer}/jwks` },
    resourceMetadata: { resource: url },
    introspection: { ...introspection, clientSecret: { file: secretFile } },
  };
  return folder.write('introspection.yaml', configText({ route: { policies: { mcpAuthentication } } }));
}

async function doctor(...args: string[]) {
  const program = startNode([CLI, 'doctor', ...args]);
  return { code: await program.ended, stdout: program.stdout, stderr: program.stderr };
}

test('an opaque token is checked with the secret of its file', async () => {
  const file = await writeIntrospecting('secret');
  const { code, stdout } = await doctor('-f', file, '--token', `${folder.path}/token`);
  expect(stdout).toContain('\n✓ token: accepted (200)\n');
  expect(stdout).not.toMatch(/^✗/m);
  expect(code).toBe(0);
});

test('a secret is needed for a token only', async () => {
  const file = await writeIntrospecting('missing');
  expect(await doctor('-f', file)).toMatchObject({ code: 0, stderr: '' });
  const { code, stderr } = await doctor('-f', file, '--token', `${folder.path}/token`);
  expect(stderr).toContain('introspection.clientSecret: ');
  expect(stderr).toContain('missing: the file does not exist');
  expect(code).toBe(1);
});
