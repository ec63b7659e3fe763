// Compiled by `npm run typecheck`, never run: what tsc must accept, and with @ts-expect-error what it must refuse.
import type { AuthInfo as SdkAuthInfo } from '@modelcontextprotocol/sdk/server/auth/types.js';
import connect from 'connect';
import express from 'express';
import {
  type AuthDecision,
  type AuthInfo,
  type CallContent,
  type CallOutcome,
  type CallRecord,
  getAuth,
  getUpstreamToken,
  type LoginPolicy,
  type McpAuth,
  type McpAuthOptions,
  type McpAuthorizationOptions,
  type McpBackend,
  type McpHttpBackend,
  type McpStdioBackend,
  mcpAuth,
  mcpAuthorization,
  mcpBackend,
  mcpCalls,
  mcpCors,
  mcpHttpBackend,
  mcpLimits,
  mcpScopes,
  mcpStdioBackend,
  protectedResourceMetadata,
  type RuleBackend,
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
const targets: McpBackend = mcpBackend({
  targets: {
    notes: { command: 'node', args: ['server.js'], env: async (auth) => ({ USER_ID: auth?.subject ?? '' }) },
    search: { url: 'https://mcp.example.com/mcp', headers: (auth) => ({ 'x-user': auth?.subject }) },
  },
  sessions: false,
  prefixMode: 'always',
  failureMode: 'failOpen',
  serverInfo: { name: 'tools', version: '1', title: 'Tools' },
  pin: 'pins.json',
});

const outcomes: CallOutcome[] = [];
mcpStdioBackend({
  command: 'node',
  onCall: ({ outcome }: CallRecord) => void outcomes.push(outcome),
  recordContent: ({ params }: CallContent) => ({ city: params.city }),
});
mcpHttpBackend({ url: 'https://mcp.example.com/mcp', onCall: undefined });

const target: string | undefined = targets.resolve('tool', 'notes_add')?.target;
const isReady: Promise<boolean> = remote.ready();
const areKeysReady: Promise<boolean> = mcpAuth(policy).ready();
mcpAuth({
  issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
  tenants: '*',
  exclusiveAudience: true,
  challengeScopes: 'supported',
  maxFailedVerificationsPerSecond: 500,
  extra: (auth) => ({ userId: auth.subject }),
  stripAuthorization: true,
  resourceMetadata: { resource: 'https://mcp.example.com/{tenant}/mcp', url: 'https://mcp.example.com/metadata' },
});
// @ts-expect-error It is a list, or every tenant.
mcpAuth({ issuer: 'https://login.example/{tenantid}', tenants: 'contoso' });
const email: string | undefined = getAuth<{ email: string }>({} as never)?.payload.email;
// @ts-expect-error The application named no such claim.
getAuth<{ email: string }>({} as never)?.payload.phone;

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

// Records of calls. What recordContent returns may be anything.
const onCall = ({ user, name, outcome }: CallRecord): string => `${user} ${name} ${outcome}`;
app.use('/mcp', mcpCalls({ onCall, recordContent: ({ params }) => params.arguments }));
connect()
  .use(mcpCalls())
  .use(mcpScopes({ ping: ['a'] }, { onCall }));
mcpCalls({
  onCall(call) {
    // @ts-expect-error A record cannot be changed.
    call.outcome = 'answered';
  },
});

// A policy may accept other credentials. The AuthInfo of the MCP SDK fits a verifier.
mcpAuth({
  issuer: 'https://a.example',
  audiences: ['api'],
  apiKeys: [{ sha256: 'a'.repeat(64), subject: 'ci', scopes: ['read'], expires: '2099-01-31' }],
  introspection: { clientId: 'mcp', clientSecret: 'secret' },
  verifiers: [async (token): Promise<SdkAuthInfo | undefined> => ({ token, clientId: 'c', scopes: [] })],
  authorizationLocation: { header: { name: 'X-Token', prefix: '' } },
});
// An identity provider replaces issuer, audiences and jwks.
mcpAuth({
  provider: { github: { allow: (profile) => profile.login === 'octocat' } },
  clientId: 'app',
  clientSecret: 'secret',
  oauthProxy: { secret: 'x' },
  resourceMetadata: { resource: 'https://mcp.example/mcp' },
});
const login: LoginPolicy = {
  provider: { google: { allow: async ({ hd }) => hd === 'example.com', scopes: ['openid', 'email'] } },
  clientId: 'app',
  clientSecret: 'secret',
};
mcpAuth({ issuers: [login, { issuer: 'https://ci.example' }] });
// @ts-expect-error The secret is missing.
mcpAuth({ provider: { gitlab: { allow: () => true } }, clientId: 'app' });
// @ts-expect-error Two identity providers.
mcpAuth({ provider: { gitlab: {}, github: {} }, clientId: 'app', clientSecret: 'secret' });
// @ts-expect-error A key itself is not in a policy.
mcpAuth({ issuer: 'a', apiKeys: [{ key: 'emak_secret' }] });

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
// @ts-expect-error A target is a program or a remote server.
mcpBackend({ targets: { both: { command: 'node', url: 'https://mcp.example.com/mcp' } } });
// @ts-expect-error There are several connections, and no single request.
mcpBackend({ targets: { one: { url: 'https://mcp.example.com/mcp', headers: (_auth, _req) => ({}) } } });
// @ts-expect-error The claims of a verified token are read-only.
(getAuth({} as never) as AuthInfo).payload.sub = 'root';

export { areKeysReady, closed, email, isReady, target };

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

// Rules are texts or objects of one kind. A backend with several targets has resolve().
const ruleBackend: RuleBackend = { resolve: (kind, name) => (kind === 'tool' ? { target: 'a', name } : undefined) };
const ruleOptions: McpAuthorizationOptions = {
  rules: ['true', { allow: 'true', scopes: ['a'] }, { deny: 'false' }],
  backend: ruleBackend,
};
app.use('/mcp', mcpAuthorization(ruleOptions), mcpAuthorization({ rules: ['true'], backend: targets }));
// @ts-expect-error: only an allow rule may have scopes.
mcpAuthorization({ rules: [{ deny: 'true', scopes: ['a'] }] });
// @ts-expect-error: rules are required.
mcpAuthorization({});

// The token of the user for another API: for a request, for the AuthInfo of both SDKs, and for an anonymous caller.
const tokenOf = (auth: AuthInfo, sdk: SdkAuthInfo | undefined): Promise<string>[] => [
  getUpstreamToken({} as never),
  getUpstreamToken(auth),
  getUpstreamToken(sdk),
];
// @ts-expect-error A token is no caller.
void getUpstreamToken('token');
mcpAuth({
  issuer: 'https://as.example',
  upstreamToken: { exchange: { clientId: 'a', clientSecret: 'b', audience: 'api', resource: ['https://api.example'] } },
});
// @ts-expect-error A client is needed.
mcpAuth({ issuer: 'https://as.example', upstreamToken: { exchange: { audience: 'api' } } });
mcpStdioBackend({ command: 'node', requestMeta: async (auth) => ({ token: await getUpstreamToken(auth) }) });

export { tokenOf };
