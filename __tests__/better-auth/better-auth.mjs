import { once } from 'node:events';
import { createServer } from 'node:http';
import { oauthProvider } from '@better-auth/oauth-provider';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { toNodeHandler } from 'better-auth/node';
import { jwt } from 'better-auth/plugins';

/** The user of these tests. */
export const ALICE = { email: 'alice@example.com', password: 'a long password', name: 'Alice' };

/**
 * Starts Better Auth on a free port, with one user.
 *
 * @param kind The access tokens: `jwt` or `opaque`.
 * @param resource The resource of the tokens.
 * @param options Further options of its OAuth provider.
 * @param answer Called for requests outside `/api/auth`.
 */
export async function startBetterAuth(kind, resource, options = {}, answer = (_req, res) => res.writeHead(404).end()) {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const origin = `http://127.0.0.1:${server.address().port}`;
  const auth = betterAuth({
    baseURL: origin,
    secret: 'a secret for tests, of more than 32 characters',
    database: memoryAdapter({
      user: [],
      session: [],
      account: [],
      verification: [],
      jwks: [],
      oauthClient: [],
      oauthResource: [],
      oauthClientResource: [],
      oauthAccessToken: [],
      oauthRefreshToken: [],
      oauthConsent: [],
      oauthClientAssertion: [],
    }),
    emailAndPassword: { enabled: true },
    logger: { level: 'error' },
    telemetry: { enabled: false },
    plugins: [
      ...(kind === 'jwt' ? [jwt()] : []),
      oauthProvider({
        loginPage: '/login',
        consentPage: '/consent',
        disableJwtPlugin: kind === 'opaque',
        scopes: ['openid', 'mcp:read', 'offline_access'],
        resources: [resource],
        enforcePerClientResources: false,
        silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
        ...options,
      }),
    ],
  });
  const handle = toNodeHandler(auth);
  server.on('request', (req, res) => {
    // Node's fetch() says that it is a script. For one, Better Auth has no redirects.
    if (req.headers.accept === 'text/html') delete req.headers['sec-fetch-mode'];
    (req.url.startsWith('/api/auth/') ? handle : answer)(req, res);
  });
  const { headers } = await auth.api.signUpEmail({ body: ALICE, returnHeaders: true });
  return { auth, origin, headers };
}
