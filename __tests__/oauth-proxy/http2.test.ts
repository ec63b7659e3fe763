import { expect, test } from 'vitest';
import { protectedResourceMetadata } from '../../src/index.js';
import { good } from '../support/good-policy.js';
import { serveHttp2 } from '../support/http2-server.js';
import { RESOURCE } from '../support/protected-app.js';

test('over HTTP/2, a body that is too long is answered 413, without a header that HTTP/2 does not have', async () => {
  const oauthProxy = { secret: 'a secret of thirty-two characters' };
  const provider = { provider: 'keycloak', clientId: 'a', clientSecret: 'b', oauthProxy } as const;
  const server = await serveHttp2(protectedResourceMetadata({ ...good, ...provider } as never));
  const path = `/.well-known/oauth-authorization-server${new URL(RESOURCE).pathname}/token`;
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/x-www-form-urlencoded' };
  expect((await server.send(headers, 'a'.repeat(2_000_000))).status).toBe(413);
  expect(server.warnings).toEqual([]);
});
