import { createHash } from 'node:crypto';
import {
  basicOf,
  bearerOf,
  type HostRequest,
  type IdentityHosts,
  json,
  loginPage,
  page,
  type Reply,
  redirect,
  serveHosts,
} from './identity-hosts.js';
import {
  createLogins,
  type Grant,
  type ImitatedClient,
  type ImitatedUser,
  type Logins,
  randomText,
  splitScopes,
} from './identity-logins.js';
import { createSigner, type Signer } from './signer.js';

/** An imitation of Google. */
export interface GoogleServer extends IdentityHosts {
  readonly logins: Logins;
  /** Creates the OAuth client in the console. */
  register(client: ImitatedClient): void;
  /** Signs ID tokens. */
  readonly signer: Signer;
  /** Changes the claims of the next ID tokens. */
  changeIdToken(change: (claims: Record<string, unknown>) => Record<string, unknown>): void;
  /** Signs the next ID tokens in another way. */
  forge(sign: (claims: Record<string, unknown>) => string): void;
}

const HOUR = 3_600;
const YEAR = 31_536_000;

/** Scopes are URLs. These have a short name in requests, too. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  email: 'https://www.googleapis.com/auth/userinfo.email',
  profile: 'https://www.googleapis.com/auth/userinfo.profile',
};
const SCOPES = ['openid', ...Object.values(SHORT_NAMES), 'https://www.googleapis.com/auth/calendar.readonly'];

// Shared, since RSA keys take long to make.
const sharedSigner = createSigner({ alg: 'RS256' });

interface Site {
  readonly logins: Logins;
  readonly clients: Map<string, ImitatedClient>;
  readonly signer: Signer;
  /** The users who have agreed before. */
  readonly consented: Set<ImitatedUser>;
  /** The codes that bring a refresh token. */
  readonly offline: Set<Grant>;
  change(claims: Record<string, unknown>): Record<string, unknown>;
  sign(claims: Record<string, unknown>): string;
}

/**
 * Google, as its documentation says: the client secret is required, access tokens are opaque, a refresh token comes only with
 * `access_type=offline`, and then only the first time, or with `prompt=consent`. A refresh gives none.
 */
export async function startGoogleServer(): Promise<GoogleServer> {
  const site = {
    logins: createLogins(),
    clients: new Map<string, ImitatedClient>(),
    signer: sharedSigner,
    consented: new Set<ImitatedUser>(),
    offline: new Set<Grant>(),
    change: (claims: Record<string, unknown>) => claims,
    sign: (claims: Record<string, unknown>) => sharedSigner.sign(claims),
  };
  const names = ['accounts.google.com', 'oauth2.googleapis.com', 'openidconnect.googleapis.com', 'www.googleapis.com'];
  const hosts = await serveHosts(names, (req) => {
    const answer = ENDPOINTS[`${req.host}${req.path}`];
    return answer === undefined ? page(404, 'Error 404 (Not Found)') : answer(site, req);
  });
  return {
    ...hosts,
    logins: site.logins,
    signer: site.signer,
    register: (client) => void site.clients.set(client.id, client),
    changeIdToken: (change) => {
      site.change = change;
    },
    forge: (sign) => {
      site.sign = sign;
    },
  };
}

const ENDPOINTS: Readonly<Record<string, (site: Site, req: HostRequest) => Reply>> = {
  'accounts.google.com/o/oauth2/v2/auth': authorize,
  'oauth2.googleapis.com/token': token,
  'oauth2.googleapis.com/revoke': revoke,
  'openidconnect.googleapis.com/v1/userinfo': userinfo,
  'www.googleapis.com/oauth2/v3/certs': ({ signer }, _req) =>
    json(200, { keys: [signer.jwk] }, { 'cache-control': 'public, max-age=19845, must-revalidate' }),
};

function authorize(site: Site, req: HostRequest): Reply {
  const parameters = req.method === 'GET' ? req.query : req.form;
  const client = site.clients.get(parameters.get('client_id') ?? '');
  const scopes = splitScopes(parameters.get('scope')).map((scope) => SHORT_NAMES[scope] ?? scope);
  const fault = faultOf(parameters, client, scopes);
  // Google shows such errors to the user, and does not redirect.
  if (client === undefined || fault !== undefined) return page(400, `Error 400: ${fault}`);
  if (req.method === 'GET') return loginPage(req);
  const { redirectUri } = client;
  const state = parameters.get('state');
  const iss = 'https://accounts.google.com';
  const user = site.logins.userNamed(parameters.get('username'));
  if (user === undefined) return redirect(redirectUri, { error: 'access_denied', state, iss });
  const grant: Grant = { user, scopes, redirectUri, nonce: parameters.get('nonce') };
  const asksAgain = splitScopes(parameters.get('prompt')).includes('consent');
  const isFirst = !site.consented.has(user);
  if (parameters.get('access_type') === 'offline' && (isFirst || asksAgain)) site.offline.add(grant);
  site.consented.add(user);
  const code = `4/${site.logins.issueCode(grant, parameters.get('code_challenge'))}`;
  return redirect(redirectUri, { code, state, iss, scope: scopes.join(' '), authuser: '0', prompt: 'consent' });
}

function faultOf(
  parameters: URLSearchParams,
  client: ImitatedClient | undefined,
  scopes: readonly string[],
): string | undefined {
  if (client === undefined) return 'invalid_client: The OAuth client was not found.';
  if (parameters.get('redirect_uri') !== client.redirectUri) return 'redirect_uri_mismatch';
  if (parameters.get('response_type') !== 'code')
    return 'invalid_request: Required parameter is missing: response_type';
  if (scopes.length === 0) return 'invalid_request: Missing required parameter: scope';
  if (scopes.some((scope) => !SCOPES.includes(scope))) return 'invalid_scope: Some requested scopes were invalid.';
  const prompts = splitScopes(parameters.get('prompt'));
  if (prompts.some((prompt) => !['none', 'consent', 'select_account'].includes(prompt)))
    return 'invalid_request: prompt';
  return undefined;
}

function token(site: Site, req: HostRequest): Reply {
  const { form } = req;
  const fail = (status: number, error: string, description: string) =>
    json(status, { error, error_description: description });
  const basic = basicOf(req);
  const client = site.clients.get(form.get('client_id') ?? basic.id ?? '');
  const secret = form.get('client_secret') ?? basic.secret;
  if (client === undefined) return fail(401, 'invalid_client', 'The OAuth client was not found.');
  if (secret === null) return fail(400, 'invalid_request', 'client_secret is missing.');
  if (secret !== client.secret) return fail(401, 'invalid_client', 'The provided client secret is invalid.');
  if (form.get('grant_type') === 'refresh_token') {
    const known = site.logins.find(form.get('refresh_token'));
    if (known === undefined) return fail(400, 'invalid_grant', 'Token has been expired or revoked.');
    return json(200, tokensOf(site, client, { ...known, nonce: null }, known.family), NO_STORE);
  }
  if (form.get('grant_type') !== 'authorization_code') return fail(400, 'unsupported_grant_type', 'Invalid grant_type');
  if (form.get('redirect_uri') !== client.redirectUri) return fail(400, 'redirect_uri_mismatch', 'Bad Request');
  const code = form.get('code')?.replace(/^4\//, '') ?? null;
  const grant = site.logins.takeCode(code, form.get('code_verifier'));
  if (grant === undefined) return fail(400, 'invalid_grant', 'Malformed auth code.');
  const family = randomText(8);
  const tokens = tokensOf(site, client, grant, family);
  if (!site.offline.has(grant)) return json(200, tokens, NO_STORE);
  const refreshToken = site.logins.keep(`1//0${randomText(40)}`, grant, YEAR, family);
  return json(200, { ...tokens, refresh_token: refreshToken }, NO_STORE);
}

const NO_STORE = { 'cache-control': 'no-cache, no-store, max-age=0, must-revalidate', pragma: 'no-cache' };

function tokensOf(site: Site, client: ImitatedClient, grant: Grant, family: string): Record<string, unknown> {
  const accessToken = site.logins.keep(`ya29.a0${randomText(60)}`, grant, HOUR, family);
  return {
    access_token: accessToken,
    expires_in: HOUR - 1,
    scope: grant.scopes.join(' '),
    token_type: 'Bearer',
    ...(grant.scopes.includes('openid') && { id_token: idTokenOf(site, client, grant, accessToken) }),
  };
}

function idTokenOf(site: Site, client: ImitatedClient, grant: Grant, accessToken: string): string {
  const now = Math.floor(Date.now() / 1_000);
  const hash = createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');
  const claims = {
    iss: 'https://accounts.google.com',
    azp: client.id,
    aud: client.id,
    at_hash: hash,
    iat: now,
    exp: now + HOUR,
    ...profileOf(grant),
    ...(grant.nonce !== null && { nonce: grant.nonce }),
  };
  return site.sign(site.change(claims));
}

function profileOf({ user, scopes }: Grant): Record<string, unknown> {
  const { number, name, email, hd } = user;
  return {
    sub: `10${String(number).padStart(19, '0')}`,
    ...(hd !== undefined && { hd }),
    ...(scopes.includes(SHORT_NAMES.email as string) && { email, email_verified: true }),
    ...(scopes.includes(SHORT_NAMES.profile as string) && { name, given_name: name.split(' ')[0] }),
  };
}

function userinfo(site: Site, req: HostRequest): Reply {
  const known = site.logins.find(bearerOf(req));
  if (known === undefined || bearerOf(req)?.startsWith('1//')) {
    return json(401, { error: 'invalid_request', error_description: 'Invalid Credentials' });
  }
  return json(200, profileOf(known));
}

/** Also ends the refresh token that came with an access token. */
function revoke(site: Site, req: HostRequest): Reply {
  const known = site.logins.find(req.form.get('token') ?? req.query.get('token'));
  if (known === undefined) {
    return json(400, { error: 'invalid_token', error_description: 'Token expired or revoked' });
  }
  site.logins.forgetFamily(known.family);
  return json(200, {});
}
