// Compiled by `npm run typecheck`, never run: what tsc must accept, and with @ts-expect-error what it must refuse.
import connect from 'connect';
import express from 'express';
import {
  type AuthDecision,
  type AuthInfo,
  getAuth,
  type McpAuth,
  type McpAuthOptions,
  type McpHttpBackend,
  type McpStdioBackend,
  mcpAuth,
  mcpCors,
  mcpHttpBackend,
  mcpLimits,
  mcpStdioBackend,
  protectedResourceMetadata,
} from '../src/index.js';

const policy = {
  mode: 'strict',
  issuer: 'agentgateway.dev',
  audiences: ['test.agentgateway.dev'],
  jwks: { file: './pub-key' },
  resourceMetadata: {
    resource: 'http://localhost:3000/mcp',
    scopesSupported: ['read:all'],
    bearerMethodsSupported: ['header'],
    resourceName: 'any further member',
  },
} as const;

const backend: McpStdioBackend = mcpStdioBackend({ command: 'node', args: ['server.js'] });
const closed: Promise<void> = backend.close();

const remote: McpHttpBackend = mcpHttpBackend({
  url: 'https://mcp.example.com/mcp',
  headers: async (auth, req) => ({ 'x-user': auth?.subject, 'x-path': req.url }),
  callerToken: { issuer: 'https://gateway.example/callers', claims: ['email'] },
});
const isReady: Promise<boolean> = remote.ready();

// Express and Connect accept all of them.
const app = express();
app.use(mcpCors(), mcpAuth(policy), protectedResourceMetadata(policy));
app.use('/keys', remote.callerKeys).use('/mcp', backend).use('/remote', remote);
app.get('/who', (req, res) => {
  const auth: AuthInfo | undefined = getAuth(req);
  res.json(auth?.scopes);
});
const auth: McpAuth = mcpAuth(policy);
app.use(auth, protectedResourceMetadata(auth));
connect().use(mcpAuth(policy)).use(protectedResourceMetadata(policy)).use('/mcp', backend);

// A policy may have several issuers, and options that are undefined.
const several: McpAuthOptions = {
  issuers: [{ issuer: 'https://a.example', audiences: ['api'], jwks: { keys: [{}] } }, { issuer: 'https://b.example' }],
  onDecision: (decision: AuthDecision) => decision.outcome === 'refused',
  tokenCache: false,
  logger: console,
  requiredScopes: undefined,
};
mcpAuth(several).revoke((auth) => auth.payload.sub === 'mallory');
mcpAuth(several).revoke({ subject: 'mallory', before: new Date() });
// @ts-expect-error A misspelt member.
mcpAuth(several).revoke({ sub: 'mallory' });
mcpLimits([{ per: (_auth, call) => call?.target, tokens: 1, refill: 1, every: '1s' }], { logger: console });
// @ts-expect-error None of the words.
mcpLimits([{ per: 'ip', tokens: 1, refill: 1, every: '1s' }]);
mcpAuth({
  issuer: 'x',
  jwks: '{"keys":[]}',
  senderConstraint: { dpop: {}, mtls: { getCertificate: () => undefined } },
});

// @ts-expect-error A middleware of mcpAuth() is not a policy.
mcpAuth(auth);
// @ts-expect-error Another middleware is not a policy either.
protectedResourceMetadata(mcpCors());
// @ts-expect-error There is no issuer.
mcpAuth({ audiences: ['api'] });
// @ts-expect-error The mode is none of the three.
mcpAuth({ ...policy, mode: 'lax' });
// @ts-expect-error Two kinds of key set.
mcpAuth({ issuer: 'x', jwks: { file: 'a', url: 'https://b.example' } });
// @ts-expect-error An unknown option.
mcpAuth({ issuer: 'x', audience: ['api'] });
// @ts-expect-error One issuer beside several.
mcpAuth({ issuer: 'x', issuers: [{ issuer: 'y' }] });
// @ts-expect-error The command is missing.
mcpStdioBackend({ args: ['server.js'] });
// @ts-expect-error The URL is missing.
mcpHttpBackend({ bearer: 'secret' });
// @ts-expect-error The claims of a verified token are read-only.
(getAuth({} as never) as AuthInfo).payload.sub = 'root';

export { closed, isReady };

// A policy names at most one provider, and a known one.
mcpAuth({ issuer: 'https://as.example', provider: 'keycloak' });
mcpAuth({ issuer: 'https://as.example', provider: { keycloak: {} }, oauthProxy: { secret: ['a', 'b'] } });
// @ts-expect-error
mcpAuth({ issuer: 'https://as.example', provider: { keycloak: {}, auth0: {} } });
// @ts-expect-error
mcpAuth({ issuer: 'https://as.example', provider: { keycloack: {} } });
// @ts-expect-error
mcpAuth({ issuer: 'https://as.example', provider: 'keycloack' });
// @ts-expect-error
mcpAuth({ issuer: 'https://as.example', oauthProxy: true });
