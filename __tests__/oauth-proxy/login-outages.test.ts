import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { REDIRECT_URI, rawClient } from '../support/oauth-proxy-client.js';
import { SECRET, startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';
import { PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const clients = { 'typed-in': { redirectUris: [REDIRECT_URI] } };
const path = PROVIDER_BEHAVIOURS.keycloak.kind.paths.registration ?? '';
const endpoint = `POST http://127.0.0.1:*${path}`;

test.each<[string, (res: ServerResponse) => void, boolean, string]>([
  ['500', (res) => res.writeHead(500).end('{}'), true, `${endpoint} failed: it answered with status 500`],
  ['429', (res) => res.writeHead(429).end('<html>'), true, 'it answered 429'],
  ['a closed connection', (res) => void res.destroy(), true, `${endpoint} failed: `],
  ['a redirect', (res) => res.writeHead(302, { location: '/' }).end(), false, `${endpoint} failed: `],
  ['201 without an id', (res) => res.writeHead(201).end('{}'), false, 'authorization_server_malformed'],
])(
  'a server that answers the registration for a login with %s: the log has a line',
  async (_what, answer, isShort, reason) => {
    const { lines, logger } = createRecordingLogger();
    const flow = await startOAuthProxyFlow('keycloak', 'keycloak', { oauthProxy: { secret: SECRET, clients }, logger });
    flow.upstream.override(path, answer);
    const back = await rawClient(flow.base, 'typed-in').logIn();
    const what = isShort ? 'cannot be reached at the moment' : 'gave an answer that cannot be used';
    expect(Object.fromEntries(back)).toEqual({
      error: isShort ? 'temporarily_unavailable' : 'server_error',
      error_description: `The authorization server ${what}`,
      state: 'mine',
      iss: flow.guarded.resource,
    });
    expect(lines.map((line) => line.replace(/:\d+/, ':*'))).toEqual([
      expect.stringContaining(`error OAuth proxy: The authorization server ${what}: ${reason}`),
    ]);
  },
);
