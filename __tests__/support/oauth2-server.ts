import {
  basicOf,
  bearerOf,
  type HostRequest,
  type IdentityHosts,
  json,
  loginPage,
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

/** An imitation of a server that follows RFC 6749, and of OpenID Connect Core only the ID tokens. */
export interface OAuth2Server extends IdentityHosts {
  readonly logins: Logins;
  register(client: ImitatedClient): void;
  /** The options of the provider `oauth2` that name this server. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Signs ID tokens. */
  readonly signer: Signer;
  /** Makes the next ID tokens in another way. Undefined: it leaves them out. */
  makeIdTokens(make: (claims: Record<string, unknown>) => string | undefined): void;
}

const HOUR = 3_600;
const YEAR = 31_536_000;
const HOST = 'login.example';
const ISSUER = `https://${HOST}`;

/**
 * A server with opaque tokens, PKCE, the secret in the header `Authorization` only, a refresh token that stays, a profile with a
 * number as id, and revocation (RFC 7009). For the scope `openid` it gives an ID token, at a refresh too.
 */
export async function startOAuth2Server(): Promise<OAuth2Server> {
  const logins = createLogins();
  const signer = createSigner();
  const clients = new Map<string, ImitatedClient>();
  const site: Site = { logins, clients, signer, makeIdToken: (claims) => signer.sign(claims) };
  const hosts = await serveHosts([HOST], (req) => {
    const answer = ENDPOINTS[req.path];
    return answer === undefined ? json(404, { error: 'not_found' }) : answer(site, req);
  });
  const endpoints = {
    issuer: ISSUER,
    authorizationEndpoint: `${ISSUER}/authorize`,
    tokenEndpoint: `${ISSUER}/token`,
    userinfoEndpoint: `${ISSUER}/me`,
    revocationEndpoint: `${ISSUER}/revoke`,
    subjectClaim: 'id',
  };
  return {
    ...hosts,
    logins,
    endpoints,
    signer,
    register: (client) => void clients.set(client.id, client),
    makeIdTokens: (make) => {
      site.makeIdToken = make;
    },
  };
}

interface Site {
  readonly logins: Logins;
  readonly clients: Map<string, ImitatedClient>;
  readonly signer: Signer;
  makeIdToken(claims: Record<string, unknown>): string | undefined;
}

const ENDPOINTS: Readonly<Record<string, (site: Site, req: HostRequest) => Reply>> = {
  '/authorize': authorize,
  '/token': token,
  '/me': me,
  '/revoke': revoke,
  '/keys': ({ signer }) => json(200, { keys: [signer.jwk] }),
};

function authorize({ clients, logins }: Site, req: HostRequest): Reply {
  const parameters = req.method === 'GET' ? req.query : req.form;
  const client = clients.get(parameters.get('client_id') ?? '');
  const redirectUri = parameters.get('redirect_uri');
  if (client === undefined || redirectUri !== client.redirectUri) return json(400, { error: 'invalid_request' });
  if (req.method === 'GET') return loginPage(req);
  const state = parameters.get('state');
  const user = logins.userNamed(parameters.get('username'));
  if (user === undefined) return redirect(redirectUri, { error: 'access_denied', state });
  const grant: Grant = {
    user,
    scopes: splitScopes(parameters.get('scope')),
    redirectUri,
    nonce: parameters.get('nonce'),
  };
  return redirect(redirectUri, { code: logins.issueCode(grant, parameters.get('code_challenge')), state });
}

function isClient({ clients }: Site, req: HostRequest): boolean {
  const { id, secret } = basicOf(req);
  return secret !== null && clients.get(formDecode(id ?? ''))?.secret === formDecode(secret);
}

/** Both are form-encoded in the header (RFC 6749, section 2.3.1). */
function formDecode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

function token(site: Site, req: HostRequest): Reply {
  const { form } = req;
  const { logins } = site;
  if (!isClient(site, req)) return json(401, { error: 'invalid_client' }, { 'www-authenticate': 'Basic' });
  if (form.get('grant_type') === 'refresh_token') {
    const known = logins.find(form.get('refresh_token'));
    if (known === undefined) return json(400, { error: 'invalid_grant' });
    const accessToken = logins.keep(randomText(20), known, HOUR, known.family);
    // OpenID Connect Core, section 12.2: an ID token of a refresh should have no nonce.
    const idToken = idTokenOf(site, req, { ...known, nonce: null });
    return json(200, { access_token: accessToken, token_type: 'bearer', expires_in: HOUR, ...idToken });
  }
  const grant = logins.takeCode(form.get('code'), form.get('code_verifier'));
  if (grant === undefined || form.get('redirect_uri') !== grant.redirectUri) {
    return json(400, { error: 'invalid_grant' });
  }
  const refreshToken = logins.keep(`r-${randomText(20)}`, grant, YEAR);
  const accessToken = logins.keep(randomText(20), grant, HOUR, refreshToken);
  return json(200, {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: HOUR,
    refresh_token: refreshToken,
    ...idTokenOf(site, req, grant),
  });
}

/** OpenID Connect Core, section 2. */
function idTokenOf(site: Site, req: HostRequest, { user, scopes, nonce }: Grant): { id_token?: string } {
  if (!scopes.includes('openid')) return {};
  const now = Math.floor(Date.now() / 1_000);
  const { number, name, email, organizations } = user;
  const idToken = site.makeIdToken({
    iss: ISSUER,
    sub: String(number),
    aud: formDecode(basicOf(req).id ?? ''),
    exp: now + HOUR,
    iat: now,
    ...(nonce !== null && { nonce }),
    ...{ name, email, organizations },
  });
  return idToken === undefined ? {} : { id_token: idToken };
}

function me({ logins }: Site, req: HostRequest): Reply {
  const known = logins.find(bearerOf(req));
  if (known === undefined) return json(401, { error: 'invalid_token' }, { 'www-authenticate': 'Bearer' });
  const { number: id, login, name, email, organizations } = known.user;
  const sub = known.scopes.includes('openid') ? { sub: String(id) } : {};
  return json(200, { id, login, name, email, organizations, ...sub });
}

function revoke(site: Site, req: HostRequest): Reply {
  if (!isClient(site, req)) return json(401, { error: 'invalid_client' });
  const known = site.logins.find(req.form.get('token'));
  if (known !== undefined) site.logins.forgetFamily(known.family);
  return { status: 200, headers: {}, body: '' };
}
