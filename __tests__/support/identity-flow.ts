import type { RequestHandler } from 'express';
import { startGithubServer } from './github-server.js';
import { startGitlabServer } from './gitlab-server.js';
import { startGoogleServer } from './google-server.js';
import { type GuardedServer, startGuardedServer } from './guarded-server.js';
import type { IdentityHosts } from './identity-hosts.js';
import { ALICE, type ImitatedClient, type ImitatedUser, type Logins } from './identity-logins.js';
import { type Answer, postForm, type RawClient, REDIRECT_URI, registerClient } from './oauth-proxy-client.js';
import { SECRET } from './oauth-proxy-flow.js';
import { startOAuth2Server } from './oauth2-server.js';
import { createRecordingLogger } from './recording-logger.js';
import { type FillIn, UserAgent } from './user-agent.js';

/** An imitated identity provider. */
export interface IdentityServer extends IdentityHosts {
  readonly logins: Logins;
  register(client: ImitatedClient): void;
}

/** One kind of identity provider, for tables of tests. */
export interface IdentityKind {
  start(): Promise<IdentityServer>;
  /** The name of the option. */
  readonly option: 'github' | 'google' | 'gitlab' | 'oauth2';
  /** Its members that this server needs, so that the profile says all about the user. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The subject of a user. */
  subjectOf(user: ImitatedUser): string;
  /** True for a profile of a user who belongs to Acme. */
  isAcme(profile: Readonly<Record<string, unknown>>): boolean;
  /** The paths that a login needs, from the token endpoint on. */
  readonly paths: { readonly token: string; readonly profile: string };
  /** The fate of the refresh token there at a refresh. */
  readonly refresh: 'none' | 'keeps' | 'rotates';
}

const byNumber = ({ number }: ImitatedUser) => String(number);
const has = (list: unknown, name: string) => Array.isArray(list) && list.includes(name);

const GITHUB: IdentityKind = {
  start: startGithubServer,
  option: 'github',
  settings: { scopes: ['read:org', 'user:email'] },
  subjectOf: byNumber,
  isAcme: ({ organizations }) => has(organizations, 'acme'),
  paths: { token: '/login/oauth/access_token', profile: '/user' },
  refresh: 'none',
};

const GITLAB: IdentityKind = {
  start: startGitlabServer,
  option: 'gitlab',
  settings: {},
  subjectOf: byNumber,
  isAcme: ({ groups }) => has(groups, 'acme/tools'),
  paths: { token: '/oauth/token', profile: '/oauth/userinfo' },
  refresh: 'rotates',
};

const OAUTH2_ENDPOINTS = {
  issuer: 'https://login.example',
  authorizationEndpoint: 'https://login.example/authorize',
  tokenEndpoint: 'https://login.example/token',
  userinfoEndpoint: 'https://login.example/me',
  revocationEndpoint: 'https://login.example/revoke',
};

const OAUTH2: IdentityKind = {
  start: startOAuth2Server,
  option: 'oauth2',
  settings: { ...OAUTH2_ENDPOINTS, subjectClaim: 'id' },
  subjectOf: byNumber,
  isAcme: ({ organizations }) => has(organizations, 'acme'),
  paths: { token: '/token', profile: '/me' },
  refresh: 'keeps',
};

export const IDENTITY_KINDS = {
  GitHub: GITHUB,
  'a GitHub App': {
    ...GITHUB,
    start: () => startGithubServer({ isGithubApp: true }),
    settings: {},
    refresh: 'rotates',
  },
  'GitHub Enterprise': {
    ...GITHUB,
    start: () => startGithubServer({ enterpriseHost: 'github.example' }),
    settings: { ...GITHUB.settings, url: 'https://github.example' },
    paths: { token: '/login/oauth/access_token', profile: '/api/v3/user' },
  },
  Google: {
    start: startGoogleServer,
    option: 'google',
    settings: {},
    subjectOf: ({ number }) => `10${String(number).padStart(19, '0')}`,
    isAcme: ({ hd }) => hd === 'acme.example',
    paths: { token: '/token', profile: '/v1/userinfo' },
    refresh: 'keeps',
  },
  GitLab: GITLAB,
  'self-hosted GitLab': {
    ...GITLAB,
    start: () => startGitlabServer('gitlab.example'),
    settings: { url: 'https://gitlab.example' },
  },
  OAuth2: OAUTH2,
  'OpenID Connect': { ...OAUTH2, settings: { ...OAUTH2_ENDPOINTS, jwksUri: 'https://login.example/keys' } },
} as const satisfies Readonly<Record<string, IdentityKind>>;

export type IdentityKindName = keyof typeof IDENTITY_KINDS;

export interface IdentityFlow {
  readonly kind: IdentityKind;
  readonly upstream: IdentityServer;
  readonly guarded: GuardedServer;
  /** The URL of the OAuth proxy's metadata. The endpoints are below it. */
  readonly base: string;
  /** The lines of the log. */
  readonly lines: readonly string[];
}

/** This server's client at the identity provider. */
export const CLIENT = { id: 'Iv1.client', secret: 'a secret of the identity provider' };

/** Starts an identity provider, and an MCP server whose users log in there. Users of Acme are allowed, unless `settings` say otherwise. */
export async function startIdentityFlow(
  name: IdentityKindName,
  settings: Readonly<Record<string, unknown>> = {},
  changes: Readonly<Record<string, unknown>> = {},
  mcp?: RequestHandler,
): Promise<IdentityFlow> {
  const kind: IdentityKind = IDENTITY_KINDS[name];
  const upstream = await kind.start();
  const { lines, logger } = createRecordingLogger();
  const guarded = await startGuardedServer(
    () => ({
      provider: { [kind.option]: { allow: kind.isAcme, ...kind.settings, ...settings } },
      clientId: CLIENT.id,
      clientSecret: CLIENT.secret,
      oauthProxy: { secret: SECRET },
      logger,
      ...changes,
      resourceMetadata: { scopesSupported: ['mcp.read', 'mcp.write'], ...(changes.resourceMetadata as object) },
    }),
    mcp,
  );
  const base = `${guarded.origin}/.well-known/oauth-authorization-server/mcp`;
  upstream.register({ ...CLIENT, redirectUri: `${base}/callback` });
  return { kind, upstream, guarded, base, lines };
}

/** Fills in the pages as a user would: allows the client, and logs in under this name. */
export function asUser({ login }: ImitatedUser): FillIn {
  return (fields) => ('request' in fields ? { decision: 'allow' } : { username: login });
}

/** A client that has registered, and its answer to the code of a user's login. */
export async function logIn(
  flow: IdentityFlow,
  user: ImitatedUser = ALICE,
  { scope, client: given }: { readonly scope?: string; readonly client?: RawClient } = {},
): Promise<{ readonly client: RawClient; readonly answer: Answer; readonly code: string }> {
  const client = given ?? (await registerClient(flow));
  const isCallback = ({ href }: URL) => href.startsWith(`${REDIRECT_URI}?`);
  const end = await new UserAgent().visit(client.authorizationUrl({ scope }), asUser(user), isCallback);
  if (!(end instanceof URL)) throw new Error(`stopped at ${end.url} (${end.response.status}): ${end.html}`);
  const code = end.searchParams.get('code');
  if (code === null) throw new Error(`no code: ${end.search}`);
  return { client, code, answer: await client.token({ code }) };
}

/** Refreshes with the refresh token of an answer. */
export function refresh({ base }: IdentityFlow, { id }: RawClient, { body }: Answer): Promise<Answer> {
  const token = body.refresh_token as string;
  return postForm(`${base}/token`, { grant_type: 'refresh_token', client_id: id, refresh_token: token });
}
