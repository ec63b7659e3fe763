import { afterAll, beforeAll, expect, test } from 'vitest';
import { replay } from '../support/client-replay.js';
import { post } from '../support/mcp-requests.js';
import { CLI, endPrograms, type Program, ROOT, startNode } from '../support/program.js';
import { REAL_CLIENTS } from '../support/real-clients.js';
import { atKeycloak } from './fill-in.js';

const RESOURCE = 'http://localhost:3000/mcp';
let gateway: Program;

beforeAll(async () => {
  gateway = startNode([CLI, '-f', `${ROOT}samples/keycloak/config.yaml`, '--host', '127.0.0.1']);
  await gateway.says(/Listening on 127\.0\.0\.1:3000/);
});
afterAll(endPrograms);

test.each(Object.entries(REAL_CLIENTS))('%s registers, logs in, is accepted and refreshes', async (_name, client) => {
  const { tokens, refreshed } = await replay({ client, resource: RESOURCE, fillIn: atKeycloak });
  for (const { status, body } of refreshed === undefined ? [tokens] : [tokens, refreshed]) {
    expect(status, JSON.stringify(body)).toBe(200);
    // Without a session, since one would start a program. 400 shows that the token was accepted.
    const response = await post(RESOURCE, { jsonrpc: '2.0', id: 1, method: 'ping' }, bearer(body.access_token));
    expect(response.status).toBe(400);
  }
  expect(refreshed !== undefined).toBe(client.refresh !== undefined);
});

const bearer = (token: unknown) => ({ authorization: `Bearer ${token}` });
