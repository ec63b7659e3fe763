import { expect, test } from 'vitest';
import { configText, route } from '../support/config-text.js';
import { goodToken, startFaultyServer } from '../support/faulty-server.js';
import { gatewayFolderForTests } from '../support/gateway-folder.js';
import { startIntrospectionServer } from '../support/introspection-server.js';
import { CLI, startNode } from '../support/program.js';
import { createSigner } from '../support/signer.js';

const AUTHENTICATION = `${route}.policies.mcpAuthentication`;

const folder = gatewayFolderForTests();

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

test('a missing secret is named where it is needed, and the other checks are made', async () => {
  const file = await writeIntrospecting('missing');
  const without = await doctor('-f', file);
  expect(without).toMatchObject({ code: 0, stderr: '' });
  const opaque = await doctor('-f', file, '--token', `${folder.path}/token`);
  expect(opaque).toMatchObject({ code: 0, stderr: '' });
  expect(opaque.stdout.split('\n').slice(0, -2)).toEqual([
    ...without.stdout.split('\n').slice(0, -2),
    '✓ token: accepted (200)',
    `! token claims: not checked, since a secret is missing: ${AUTHENTICATION}.introspection.clientSecret: ${folder.path}/missing: the file does not exist. The doctor cannot tell whether the policy accepts this token. Run the doctor where the command runs, or correct the name of the file.`,
  ]);
});

test('a token that is checked without the missing secret is explained as always', async () => {
  const file = await writeIntrospecting('missing');
  const jwt = await folder.write('jwt', createSigner().sign({ iss: 'https://other.example', exp: 1 }));
  const { stdout } = await doctor('-f', file, '--token', jwt);
  expect(stdout).toMatch(/^✗ token iss: "https:\/\/other\.example", expected /m);
  expect(stdout).toContain('The lines below say what is wrong with it.');
  expect(stdout).not.toContain('not checked');
});

test('a missing secret of one route does not end the checks of another', async () => {
  const [first, second] = [await startFaultyServer(), await startIntrospectionServer()];
  const authenticationOf = (members: object) => ({
    issuer: first.issuer,
    jwks: { url: `${first.issuer}/jwks` },
    ...members,
  });
  const introspection = { ...second.introspection, clientSecret: { file: 'missing' } };
  // A route without an address is not checked.
  const routes = [{ introspection, audiences: ['x'] }, { resourceMetadata: { resource: first.url } }];
  const binds = routes.map((members, i) => {
    const policies = { mcpAuthentication: authenticationOf(members) };
    return { ...JSON.parse(configText({ route: { policies } })).binds[0], port: 3000 + i };
  });
  const file = await folder.write('routes.yaml', JSON.stringify({ binds }));
  await folder.write('token', goodToken(first));
  const { code, stdout, stderr } = await doctor('-f', file, '--token', `${folder.path}/token`);
  expect(stderr).toBe('');
  expect(stdout).toContain('\n✓ token: accepted (200)\n');
  expect(stdout).toContain(`\n✓ token aud: ${first.url}\n`);
  expect(code).toBe(0);
});
