import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { logIn, SDKS } from '../support/mcp-login.js';
import { CLI, endPrograms, type Program, ROOT, startNode } from '../support/program.js';
import { createProtectedApp } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { atKeycloak } from './fill-in.js';

const RESOURCE = 'http://localhost:3000/mcp';
let gateway: Program;

beforeAll(async () => {
  gateway = startNode([CLI, '-f', `${ROOT}samples/keycloak/config.yaml`, '--host', '127.0.0.1']);
  await gateway.says(/Listening on 127\.0\.0\.1:3000/);
});
afterAll(endPrograms);

test.each(SDKS)('SDK %s logs in at Keycloak through the gateway, calls a tool, and refreshes', async (sdk) => {
  const client = await logIn(sdk, RESOURCE, atKeycloak);
  onTestFinished(() => client.close());
  expect(client.callback.searchParams.get('iss')).toBe(RESOURCE);
  expect(await client.callTool('echo', { message: 'hello' })).toMatchObject({ content: [{ text: 'Echo: hello' }] });

  const before = client.memory.savedTokens;
  client.memory.spoilAccessToken();
  expect(await client.callTool('echo', { message: 'again' })).toMatchObject({ content: [{ text: 'Echo: again' }] });
  expect(client.memory.savedTokens?.access_token).not.toBe(before?.access_token);
  expect(client.memory.savedTokens?.access_token).toMatch(/^ey/);
});

test('for Keycloak, the issuer is enough: a token is accepted without provider and jwks', async () => {
  const client = await logIn('v2', RESOURCE, atKeycloak);
  onTestFinished(() => client.close());
  const issuer = 'http://localhost:7080/realms/mcp';
  const { lines, logger } = createRecordingLogger();
  const { send } = createProtectedApp({ issuer, jwks: undefined, audiences: ['mcp_proxy'], logger });
  const { status, body } = await send(client.memory.savedTokens?.access_token ?? '');
  expect([status, body.payload?.iss]).toEqual([200, issuer]);
  expect(lines).toEqual([
    expect.stringMatching(/^info key set of .*: .*\/protocol\/openid-connect\/certs, as .*\/\.well-known\/.* says$/),
    ...lines.slice(1).filter((line) => line.startsWith('debug')),
  ]);
});

test('no token, secret or code is in the log', () => {
  const log = gateway.stdout + gateway.stderr;
  expect(log).toContain('oauthProxy.secret is not set');
  expect(log).not.toMatch(/eyJ|code=|wonderland/);
});
