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

/** The differences of this GitHub from github.com with an OAuth app. */
export interface GithubOptions {
  /** The host of an Enterprise Server. Its API is below /api/v3. */
  readonly enterpriseHost?: string;
  /** A GitHub App with expiring tokens, and not an OAuth app. */
  readonly isGithubApp?: boolean;
}

/** An imitation of GitHub. */
export interface GithubServer extends IdentityHosts {
  readonly logins: Logins;
  /** The account permissions of a GitHub App: `emails`. Its owner may change them. */
  readonly permissions: Set<string>;
  /** Creates the app, as its owner would. */
  register(client: ImitatedClient): void;
}

const YEAR = 31_536_000;
const EIGHT_HOURS = 28_800;
const SIX_MONTHS = 15_897_600;
/** An app gets at most this many tokens for one user and the same scopes. The next one revokes the oldest. */
const MAX_TOKENS = 10;
/** The scopes that list organisations, and those that list email addresses. */
const READS_ORGANIZATIONS = ['read:org', 'write:org', 'admin:org', 'user'];
const READS_EMAILS = ['user:email', 'user'];

/**
 * GitHub, as its documentation says: no metadata, opaque tokens, answers as a form unless the request accepts JSON, errors with status 200,
 * scopes separated by commas, no refresh token for OAuth apps, PKCE, and an API that refuses requests without User-Agent.
 */
export async function startGithubServer(options: GithubOptions = {}): Promise<GithubServer> {
  const { enterpriseHost } = options;
  const [host, apiHost, apiPath] =
    enterpriseHost === undefined ? ['github.com', 'api.github.com', ''] : [enterpriseHost, enterpriseHost, '/api/v3'];
  const logins = createLogins();
  const clients = new Map<string, ImitatedClient>();
  const site: Site = {
    logins,
    clients,
    isGithubApp: options.isGithubApp === true,
    permissions: new Set(),
    recent: new Map(),
    consented: new Map(),
  };
  const hosts = await serveHosts([host, apiHost], (req) => {
    const isApi = req.host === apiHost && (host !== apiHost || req.path.startsWith(`${apiPath}/`));
    if (isApi) return answerApi(site, { ...req, path: req.path.slice(apiPath.length) });
    if (req.path === '/login/oauth/authorize') return authorize(site, req);
    if (req.path === '/login/oauth/access_token' && req.method === 'POST') return token(site, req);
    return page(404, 'Not Found');
  });
  return { ...hosts, logins, permissions: site.permissions, register: (client) => void clients.set(client.id, client) };
}

interface Site {
  readonly logins: Logins;
  readonly clients: Map<string, ImitatedClient>;
  readonly isGithubApp: boolean;
  readonly permissions: Set<string>;
  /** The newest tokens for each user and scopes, oldest first. */
  readonly recent: Map<string, string[]>;
  /** The scopes that each user has ever given. */
  readonly consented: Map<string, ReadonlySet<string>>;
}

function authorize(site: Site, req: HostRequest): Reply {
  const parameters = req.method === 'GET' ? req.query : req.form;
  const client = site.clients.get(parameters.get('client_id') ?? '');
  if (client === undefined) return page(404, 'Not Found');
  const redirectUri = parameters.get('redirect_uri') ?? client.redirectUri;
  const state = parameters.get('state');
  if (!isAllowedRedirect(site, redirectUri, client)) {
    return redirect(client.redirectUri, { error: 'redirect_uri_mismatch', state });
  }
  if (req.method === 'GET') return loginPage(req);
  const user = site.logins.userNamed(parameters.get('username'));
  if (user === undefined) {
    return redirect(redirectUri, { error: 'access_denied', error_description: 'The user has denied', state });
  }
  const asked = splitScopes(parameters.get('scope'));
  const known = site.consented.get(user.login) ?? new Set();
  // A login without scopes gets all that the user has ever given to this app.
  const scopes = site.isGithubApp ? [] : asked.length > 0 ? asked : [...known];
  site.consented.set(user.login, new Set([...known, ...scopes]));
  const hasChallenge = parameters.get('code_challenge_method') === 'S256';
  const challenge = hasChallenge ? parameters.get('code_challenge') : null;
  const code = site.logins.issueCode({ user, scopes, redirectUri, nonce: null }, challenge);
  return redirect(redirectUri, { code, state });
}

/** OAuth apps: the same host and port, and a path below. GitHub Apps: exactly one of the callback URLs. */
function isAllowedRedirect({ isGithubApp }: Site, given: string, { redirectUri }: ImitatedClient): boolean {
  if (given === redirectUri) return true;
  if (isGithubApp || !URL.canParse(given)) return false;
  const [asked, registered] = [new URL(given), new URL(redirectUri)];
  const isLoopback = registered.hostname === '127.0.0.1' && asked.hostname === '127.0.0.1';
  const isBelow = `${asked.pathname}/`.startsWith(`${registered.pathname}/`);
  return isBelow && (isLoopback || asked.origin === registered.origin);
}

function token(site: Site, req: HostRequest): Reply {
  const { form } = req;
  const client = site.clients.get(form.get('client_id') ?? '');
  // Errors have status 200, too.
  const fail = (error: string, description: string) =>
    send(req, { error, error_description: description, error_uri: 'https://docs.github.com/apps' });
  if (client === undefined || client.secret !== form.get('client_secret')) {
    return fail('incorrect_client_credentials', 'The client_id and/or client_secret passed are incorrect.');
  }
  if (form.get('grant_type') === 'refresh_token') {
    const known = site.isGithubApp ? site.logins.find(form.get('refresh_token')) : undefined;
    if (known === undefined || !form.get('refresh_token')?.startsWith('ghr_')) {
      return fail('bad_refresh_token', 'The refresh token passed is incorrect or expired.');
    }
    site.logins.forgetFamily(known.family);
    return send(req, issue(site, known));
  }
  const grant = site.logins.takeCode(form.get('code'), form.get('code_verifier'));
  if (grant === undefined) return fail('bad_verification_code', 'The code passed is incorrect or expired.');
  if (form.has('redirect_uri') && form.get('redirect_uri') !== grant.redirectUri) {
    const description = 'The redirect_uri MUST match the registered callback URL for this application.';
    return fail('redirect_uri_mismatch', description);
  }
  return send(req, issue(site, grant));
}

function issue(site: Site, grant: Grant): Record<string, string | number> {
  if (site.isGithubApp) {
    const accessToken = site.logins.keep(`ghu_${randomText(18)}`, grant, EIGHT_HOURS);
    const refreshToken = site.logins.keep(`ghr_${randomText(38)}`, grant, SIX_MONTHS, accessToken);
    return {
      access_token: accessToken,
      expires_in: EIGHT_HOURS,
      refresh_token: refreshToken,
      refresh_token_expires_in: SIX_MONTHS,
      scope: '',
      token_type: 'bearer',
    };
  }
  const scope = grant.scopes.join(',');
  const accessToken = site.logins.keep(`gho_${randomText(18)}`, grant, YEAR);
  const recent = [...(site.recent.get(`${grant.user.login} ${scope}`) ?? []), accessToken];
  for (const old of recent.splice(0, recent.length - MAX_TOKENS)) site.logins.forget(old);
  site.recent.set(`${grant.user.login} ${scope}`, recent);
  return { access_token: accessToken, scope, token_type: 'bearer' };
}

/** A form, unless the request accepts JSON. */
function send(req: HostRequest, body: Record<string, string | number>): Reply {
  if (req.headers.accept?.includes('application/json')) return json(200, body);
  const entries = Object.entries(body).map(([name, value]): [string, string] => [name, String(value)]);
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  return { status: 200, headers, body: new URLSearchParams(entries).toString() };
}

function answerApi(site: Site, req: HostRequest): Reply {
  if ((req.headers['user-agent'] ?? '') === '') {
    return page(403, 'Request forbidden by administrative rules. Please make sure it has a User-Agent header');
  }
  const app = /^\/applications\/([^/]+)\/token$/.exec(req.path)?.[1];
  if (app !== undefined) return revoke(site, req, app);
  const given = bearerOf(req);
  const known = given?.startsWith('ghr_') ? undefined : site.logins.find(given);
  if (known === undefined) return problem(401, given === undefined ? 'Requires authentication' : 'Bad credentials');
  const { scopes } = known;
  const may = (needed: readonly string[]) => site.isGithubApp || needed.some((scope) => scopes.includes(scope));
  const headers = site.isGithubApp ? {} : { 'x-oauth-scopes': scopes.join(', '), 'x-accepted-oauth-scopes': '' };
  if (req.path === '/user') return json(200, accountOf(known.user), headers);
  if (req.path === '/user/repos') return json(200, repositoriesOf(known.user, may(['repo'])), headers);
  if (req.path === '/user/orgs') {
    if (may(READS_ORGANIZATIONS)) return json(200, organizationsOf(known.user), headers);
    return problem(403, 'You need at least read:org scope or user scope to list your organizations.');
  }
  if (req.path === '/user/emails' && site.isGithubApp && !site.permissions.has('emails')) {
    return problem(403, 'Resource not accessible by integration');
  }
  if (req.path === '/user/emails' && may(READS_EMAILS)) return json(200, addressesOf(known.user), headers);
  return problem(404, 'Not Found');
}

/** The email address is the public one, which this user has not set. */
function accountOf({ login, number: id, name }: ImitatedUser): unknown {
  return { login, id, node_id: `U_${id}`, type: 'User', name, email: null };
}

/** Without the scope `repo`, public ones only. */
function repositoriesOf({ login }: ImitatedUser, hasPrivate: boolean): unknown {
  const names = hasPrivate ? ['notes', 'diary'] : ['notes'];
  return names.map((name) => ({ name, full_name: `${login}/${name}`, private: name === 'diary' }));
}

function organizationsOf({ organizations }: ImitatedUser): unknown {
  return organizations.map((login, i) => ({ login, id: 100 + i }));
}

function addressesOf({ login, email }: ImitatedUser): unknown {
  const old = { email: `${login}@old.example`, primary: false, verified: false, visibility: null };
  return [old, { email, primary: true, verified: true, visibility: 'private' }];
}

/** DELETE /applications/{client_id}/token, with the id and the secret of the app. */
function revoke(site: Site, req: HostRequest, app: string): Reply {
  const { id, secret } = basicOf(req);
  const client = site.clients.get(app);
  const isOwner = client !== undefined && client.id === id && client.secret === secret;
  if (!isOwner || req.method !== 'DELETE') return problem(404, 'Not Found');
  const { access_token: given } = (req.body === '' ? {} : JSON.parse(req.body)) as { access_token?: string };
  if (given === undefined) return problem(422, 'Invalid request. access_token was not supplied.');
  const known = site.logins.find(given);
  if (known === undefined) return problem(404, 'Not Found');
  site.logins.forgetFamily(known.family);
  return { status: 204, headers: {}, body: '' };
}

function problem(status: number, message: string): Reply {
  const documentation = 'https://docs.github.com/rest';
  return json(status, { message, documentation_url: documentation, status: String(status) });
}
