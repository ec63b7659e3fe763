import express from 'express';
import { expect, onTestFinished, test } from 'vitest';
import { mcpAuth, mcpHttpBackend } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { serve } from '../support/loopback-server.js';
import { call, open, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';

const SECRET = 'a secret of at least thirty-two characters';

test.each([
  ['without a secret', {}],
  ['with a secret', { secret: SECRET }],
  ['with sessionOwners: sign', { secret: SECRET, sessionOwners: 'sign' as const }],
])('two targets and a server in the app may hand out the same ids: %s', async (_name, members) => {
  const issuer = createTestIssuer();
  const auth = mcpAuth(issuer.policy({ resource: 'https://mcp.example/mcp', ...members }));
  const app = express().use(auth);
  for (const path of ['/a', '/b']) {
    const { url } = await startRecordingTarget();
    const backend = mcpHttpBackend({ url });
    onTestFinished(() => backend.close());
    app.use(path, backend);
  }
  // It trusts everyone who knows an id; mcpAuth() keeps its sessions apart.
  app.post('/own', (_req, res) => void res.setHeader('mcp-session-id', 'session-1').json({}));
  const origin = await serve(app);
  const bearer = (sub: string) => ({ authorization: `Bearer ${issuer.token({ sub })}` });

  const ada = await open(`${origin}/a`, bearer('ada'));
  const bob = await open(`${origin}/b`, bearer('bob'));
  const eve = await open(`${origin}/own`, bearer('eve'));
  const askFor = async (path: string, headers: Record<string, string>) =>
    (await post(`${origin}${path}`, call(1, 'x'), headers)).status;
  for (const [path, owner] of [
    ['/a', ada],
    ['/b', bob],
    ['/own', eve],
  ] as const) {
    expect([path, await askFor(path, owner)]).toEqual([path, 200]);
    for (const other of [ada, bob, eve].filter((user) => user !== owner)) {
      const thief = { ...other, 'mcp-session-id': owner['mcp-session-id'] as string };
      expect([path, await askFor(path, thief)]).toEqual([path, 404]);
    }
  }
});
