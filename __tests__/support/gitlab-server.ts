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
  type Logins,
  randomText,
  splitScopes,
} from './identity-logins.js';
import { createSigner, type Signer } from './signer.js';

/** An imitation of GitLab. */
export interface GitlabServer extends IdentityHosts {
  readonly logins: Logins;
  /** Creates the application, with every scope that it may ask for. */
  register(client: ImitatedClient): void;
}

const TWO_HOURS = 7_200;
const YEAR = 31_536_000;
/** The scopes that the application was created with. */
const SCOPES = ['openid', 'profile', 'email', 'read_user', 'read_api'];

// Shared, since RSA keys take long to make.
const signer = createSigner({ alg: 'RS256' });

interface Site {
  readonly origin: string;
  readonly logins: Logins;
  readonly clients: Map<string, ImitatedClient>;
  readonly signer: Signer;
}

/**
 * GitLab, as its documentation says: access tokens live two hours, a refresh gives another refresh token and ends both old tokens, the ID
 * token names the groups of which the user is a direct member, and userinfo all groups.
 */
export async function startGitlabServer(host = 'gitlab.com'): Promise<GitlabServer> {
  const site: Site = { origin: `https://${host}`, logins: createLogins(), clients: new Map(), signer };
  const hosts = await serveHosts([host], (req) => {
    const answer = ENDPOINTS[`${req.path === '/oauth/authorize' ? '' : `${req.method} `}${req.path}`];
    return answer === undefined ? page(404, 'Page not found') : answer(site, req);
  });
  return { ...hosts, logins: site.logins, register: (client) => void site.clients.set(client.id, client) };
}

const ENDPOINTS: Readonly<Record<string, (site: Site, req: HostRequest) => Reply>> = {
  '/oauth/authorize': authorize,
  'POST /oauth/token': token,
  'POST /oauth/revoke': revoke,
  'GET /oauth/userinfo': userinfo,
  'GET /oauth/discovery/keys': (site, _req) => json(200, { keys: [site.signer.jwk] }),
};

function authorize(site: Site, req: HostRequest): Reply {
  const parameters = req.method === 'GET' ? req.query : req.form;
  const client = site.clients.get(parameters.get('client_id') ?? '');
  const redirectUri = parameters.get('redirect_uri');
  if (client === undefined || redirectUri !== client.redirectUri) {
    return page(401, 'The redirect URI included is not valid.');
  }
  const state = parameters.get('state');
  const scopes = splitScopes(parameters.get('scope'));
  if (scopes.length === 0 || scopes.some((scope) => !SCOPES.includes(scope))) {
    const description = 'The requested scope is invalid, unknown, or malformed.';
    return redirect(redirectUri, { error: 'invalid_scope', error_description: description, state });
  }
  if (parameters.get('response_type') !== 'code') {
    return redirect(redirectUri, { error: 'unsupported_response_type', state });
  }
  if (req.method === 'GET') return loginPage(req);
  const user = site.logins.userNamed(parameters.get('username'));
  if (user === undefined) return redirect(redirectUri, { error: 'access_denied', state });
  const grant: Grant = { user, scopes, redirectUri, nonce: parameters.get('nonce') };
  return redirect(redirectUri, { code: site.logins.issueCode(grant, parameters.get('code_challenge')), state });
}

/** The client of a request, with its secret in the form or in the header. */
function clientOf(site: Site, req: HostRequest): ImitatedClient | undefined {
  const basic = basicOf(req);
  const client = site.clients.get(req.form.get('client_id') ?? basic.id ?? '');
  return client?.secret === (req.form.get('client_secret') ?? basic.secret) ? client : undefined;
}

function token(site: Site, req: HostRequest): Reply {
  const { form } = req;
  const client = clientOf(site, req);
  if (client === undefined) {
    const description = 'Client authentication failed due to unknown client, no client authentication included, …';
    return json(401, { error: 'invalid_client', error_description: description });
  }
  const grant = takeGrant(site, form);
  // It must match the redirect URI of the login.
  const givenUri = form.get('redirect_uri') ?? (form.get('grant_type') === 'refresh_token' ? client.redirectUri : null);
  if (grant === undefined || givenUri !== grant.redirectUri) {
    const description =
      'The provided authorization grant is invalid, expired, revoked, does not match the redirection URI …';
    return json(400, { error: 'invalid_grant', error_description: description });
  }
  return json(200, tokensOf(site, client, grant), { 'cache-control': 'no-store' });
}

function takeGrant({ logins }: Site, form: URLSearchParams): Grant | undefined {
  if (form.get('grant_type') !== 'refresh_token') return logins.takeCode(form.get('code'), form.get('code_verifier'));
  const known = logins.find(form.get('refresh_token'));
  // The refresh token has the name of its family, and the access token another.
  if (known === undefined || known.family !== form.get('refresh_token')) return undefined;
  logins.forgetFamily(known.family);
  return known;
}

function tokensOf(site: Site, client: ImitatedClient, grant: Grant): Record<string, unknown> {
  const refreshToken = site.logins.keep(randomText(32), grant, YEAR);
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: site.origin,
    aud: client.id,
    iat: now,
    exp: now + 120,
    auth_time: now - 60,
    ...(grant.nonce !== null && { nonce: grant.nonce }),
    ...identityOf(grant),
    groups_direct: grant.user.organizations,
  };
  return {
    access_token: site.logins.keep(randomText(32), grant, TWO_HOURS, refreshToken),
    token_type: 'Bearer',
    expires_in: TWO_HOURS,
    refresh_token: refreshToken,
    scope: grant.scopes.join(' '),
    created_at: now,
    ...(grant.scopes.includes('openid') && { id_token: site.signer.sign(claims) }),
  };
}

function identityOf({ user, scopes }: Grant): Record<string, unknown> {
  const { number, email } = user;
  return { sub: String(number), ...(scopes.includes('email') && { email, email_verified: true }) };
}

function userinfo(site: Site, req: HostRequest): Reply {
  const given = bearerOf(req);
  const known = site.logins.find(given);
  if (known === undefined || known.family === given) {
    const challenge = { 'www-authenticate': 'Bearer realm="Doorkeeper", error="invalid_token"' };
    return json(401, { error: 'invalid_token', error_description: 'The access token expired' }, challenge);
  }
  if (!known.scopes.includes('openid')) return json(403, { error: 'insufficient_scope' });
  const { login, name, organizations } = known.user;
  const groups = organizations.flatMap((group) => [group, `${group}/tools`]);
  return json(200, { ...identityOf(known), name, nickname: login, profile: `${site.origin}/${login}`, groups });
}

function revoke(site: Site, req: HostRequest): Reply {
  if (clientOf(site, req) === undefined) {
    const description = 'You are not authorized to revoke this token';
    return json(403, { error: 'unauthorized_client', error_description: description });
  }
  const known = site.logins.find(req.form.get('token'));
  if (known !== undefined) site.logins.forgetFamily(known.family);
  return json(200, {});
}
