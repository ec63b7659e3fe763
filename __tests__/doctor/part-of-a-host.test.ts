import express from 'express';
import { expect, test } from 'vitest';
import { diagnose } from '../../src/doctor/doctor.js';
import { createProbe } from '../../src/doctor/probe.js';
import { type McpAuthOptions, mcpAuth } from '../../src/index.js';
import { serve } from '../support/loopback-server.js';
import { PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';
import { startProviderServer } from '../support/provider-server.js';

const SEGMENT = '/.well-known/oauth-protected-resource';

/** A server that gets only the requests which something in front of it passes on, and the advice of the doctor by step. */
async function adviceFor(urlPath: string | undefined, passesOn: (path: string) => boolean, rootStatus = 404) {
  const { issuer } = await startProviderServer(PROVIDER_BEHAVIOURS.auth0.kind);
  let app: express.Express | undefined;
  const origin = await serve((req, res) => app?.(req, res));
  const url = `${origin}/mcp`;
  const resourceMetadata = { resource: url, url: urlPath && origin + urlPath, scopesSupported: ['mcp.read'] };
  const policy = { issuer, provider: 'auth0', audiences: ['https://api.example'], resourceMetadata };
  app = express().use((req, res, next) => (passesOn(req.path) ? next() : void res.status(rootStatus).end()));
  app.use(mcpAuth(policy as McpAuthOptions));
  const found: Record<string, unknown> = {};
  for await (const { status, step, seen, fix } of diagnose({ url }, createProbe(url)))
    if (/^(?:server metadata|well-known)/.test(step)) found[step] = status === 'ok' ? `ok ${seen}` : fix;
  return { found, origin };
}

test('an OAuth proxy below the path of the resource is found last, and the root is no matter', async () => {
  const { found, origin } = await adviceFor(`/mcp${SEGMENT}`, (path) => path.startsWith('/mcp'));
  const fix = 'Nothing to do if another server has the root of this host. Otherwise remove resourceMetadata.url.';
  expect(found).toEqual({
    'well-known with path': fix,
    'well-known at the root': fix,
    'server metadata': `ok ${origin}/mcp/.well-known/openid-configuration, which clients try after 2 others`,
  });
});

test('one that cannot be reached: the doctor says what to set', async () => {
  const { found, origin } = await adviceFor(undefined, (path) => ['/mcp', `${SEGMENT}/mcp`].includes(path));
  const set = `If another server has the root of this host, set resourceMetadata.url to "${origin}/mcp${SEGMENT}": everything is then below that path.`;
  expect(found['server metadata']).toBe(`Mount protectedResourceMetadata(policy) at the root of the app. ${set}`);
});

test.each([200, 302, 503])(
  'a root that answers %i: the doctor says what the server there must answer',
  async (status) => {
    const { found } = await adviceFor(`/mcp${SEGMENT}`, (path) => path.startsWith('/mcp'), status);
    expect(found['server metadata']).toMatch(
      /^If another server has the root of this host, it must answer with a status from 400 to 499 there, so that clients go on. Otherwise: \w/,
    );
  },
);
