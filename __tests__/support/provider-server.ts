import { createHash, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { listen, originOf, stop } from './loopback-server.js';
import { type ProviderBehaviour, type Refusal, type RegisteredClient, scopesOf } from './provider-behaviour.js';
import { createSigner } from './signer.js';

type Form = URLSearchParams;

export interface ProviderServer {
  readonly origin: string;
  readonly issuer: string;
  /** The requests that it received, in order. */
  readonly requests: { readonly path: string; readonly form: Form; readonly authorization: string | undefined }[];
  /** The metadata of every registration request. */
  readonly registrations: Readonly<Record<string, unknown>>[];
  /** Makes a token of this server with these claims. */
  sign(claims: Readonly<Record<string, unknown>>): string;
  /** Registers a client, as an administrator would. */
  register(client: { id: string; secret?: string; redirectUri: string }): void;
  /** Deletes all clients, as an administrator would. */
  deleteClients(): void;
  /** Replaces the answers of a path, to misbehave. */
  override(path: string, answer: (res: ServerResponse) => void): void;
  close(): Promise<void>;
}

// Shared, since RSA keys take long to make and no test needs its own.
const signer = createSigner({ alg: 'RS256' });

/** Starts an HTTP server that behaves like one kind of authorization server: login page, PKCE, single-use codes, token rotation. */
export async function startProviderServer(kind: ProviderBehaviour): Promise<ProviderServer> {
  const clients = new Map<string, RegisteredClient>();
  const codes = new Map<string, Form>();
  const refreshTokens = new Map<string, Form>();
  const overrides = new Map<string, (res: ServerResponse) => void>();
  const requests: ProviderServer['requests'] = [];
  const registrations: ProviderServer['registrations'] = [];
  const server = createServer((req, res) => void answer(req, res));
  await listen(server);
  onTestFinished(() => stop(server));
  const origin = originOf(server);
  const issuer = origin + kind.issuer;

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(`${origin}${req.url}`);
    const path = url.pathname;
    const body = await text(req);
    const isJson = req.headers['content-type'] === 'application/json';
    const form = req.method === 'GET' ? url.searchParams : new URLSearchParams(isJson ? '' : body);
    requests.push({ path, form, authorization: req.headers.authorization });
    const override = overrides.get(path);
    if (override !== undefined) override(res);
    else if (kind.paths.metadata.includes(path)) json(res, 200, metadata());
    else if (path === kind.paths.jwks) json(res, 200, { keys: [signer.jwk] });
    else if (path === kind.paths.authorize && req.method === 'GET') authorize(res, form);
    else if (path === kind.paths.authorize) finishLogin(res, form);
    else if (path === kind.paths.token) token(res, form, req.headers.authorization);
    else if (path === kind.paths.revocation) res.writeHead(200).end();
    else if (path === kind.paths.registration) register(req, res, JSON.parse(body));
    else json(res, 404, { error: 'not_found' });
  }

  function metadata(): Record<string, unknown> {
    const { authorize, token, registration, revocation, jwks } = kind.paths;
    return {
      issuer,
      authorization_endpoint: origin + authorize,
      token_endpoint: origin + token,
      jwks_uri: origin + jwks,
      ...(registration && { registration_endpoint: origin + registration }),
      ...(revocation && { revocation_endpoint: origin + revocation }),
      ...(kind.sendsIss && { authorization_response_iss_parameter_supported: true }),
      scopes_supported: kind.scopes,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      userinfo_endpoint: `${origin}/userinfo`,
      end_session_endpoint: `${origin}/logout`,
      pushed_authorization_request_endpoint: `${origin}/par`,
      client_id_metadata_document_supported: true,
      ...kind.metadata,
    };
  }

  function authorize(res: ServerResponse, form: Form): void {
    const client = clients.get(form.get('client_id') ?? '');
    if (client === undefined || client.redirectUri !== form.get('redirect_uri')) {
      json(res, 400, { error: 'invalid_request', error_description: 'unknown client or redirect URI' });
      return;
    }
    const refusal = kind.refuse?.(form, client) ?? pkceFault(kind, form);
    if (refusal !== undefined) redirect(res, form, { error: refusal[0], error_description: refusal[1] });
    else {
      const fields = [...form].map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`).join('');
      res.setHeader('content-type', 'text/html');
      res.end(`<form method="post" action="${kind.paths.authorize}">${fields}<input name="username" value=""></form>`);
    }
  }

  function finishLogin(res: ServerResponse, form: Form): void {
    if (form.get('username') !== 'alice') {
      redirect(res, form, { error: 'access_denied', error_description: 'not alice' });
      return;
    }
    const code = randomUUID();
    codes.set(code, form);
    redirect(res, form, { code });
  }

  function redirect(res: ServerResponse, form: Form, parameters: Record<string, string>): void {
    const url = new URL(form.get('redirect_uri') ?? '');
    const all = { ...parameters, state: form.get('state') ?? '', ...(kind.sendsIss && { iss: issuer }) };
    for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value);
    res.writeHead(302, { location: url.href }).end();
  }

  function token(res: ServerResponse, form: Form, authorization: string | undefined): void {
    const basic = Buffer.from(authorization?.replace(/^Basic /, '') ?? '', 'base64')
      .toString()
      .split(':');
    const client = clients.get(form.get('client_id') ?? basic[0] ?? '');
    const method = authorization === undefined ? 'client_secret_post' : 'client_secret_basic';
    const isWrongMethod = client?.secret !== undefined && (kind.tokenEndpointAuthMethod ?? method) !== method;
    const refusal = kind.refuseToken?.(form);
    const asked = takeGrant(form);
    const granted = kind.grant?.(scopesOf(asked)) ?? scopesOf(asked);
    const isTooMuch = form.get('grant_type') === 'refresh_token' && !scopesOf(form).every((s) => granted.includes(s));
    const good = asked !== undefined && asked.get('client_id') === client?.id;
    if (
      client === undefined ||
      isWrongMethod ||
      (client.secret ?? '') !== (form.get('client_secret') ?? basic[1] ?? '')
    ) {
      json(res, 401, { error: 'invalid_client', error_description: 'AADSTS7000218: wrong client or secret' });
    } else if (refusal !== undefined) json(res, 400, { error: refusal[0], error_description: refusal[1] });
    else if (!good) json(res, 400, { error: 'invalid_grant' });
    else if (isTooMuch) json(res, 400, { error: 'invalid_scope', error_description: 'more than was granted' });
    else json(res, 200, issue(asked, granted, form));
  }

  function takeGrant(form: Form): Form | undefined {
    if (form.get('grant_type') === 'refresh_token') {
      const asked = refreshTokens.get(form.get('refresh_token') ?? '');
      if (kind.keepsRefreshToken !== true) refreshTokens.delete(form.get('refresh_token') ?? '');
      return asked;
    }
    const asked = codes.get(form.get('code') ?? '');
    codes.delete(form.get('code') ?? '');
    const verifier = form.get('code_verifier');
    const challenge = verifier === null ? null : createHash('sha256').update(verifier).digest('base64url');
    const same = asked?.get('redirect_uri') === form.get('redirect_uri') && asked?.get('code_challenge') === challenge;
    return same ? asked : undefined;
  }

  function issue(asked: Form, granted: readonly string[], request: Form): Record<string, unknown> {
    const scopes = request.get('scope')?.split(' ') ?? granted;
    const answered = kind.answeredScopes === undefined ? scopes : kind.answeredScopes(scopes);
    const now = Math.floor(Date.now() / 1000);
    const claims = kind.claims(new URLSearchParams({ ...Object.fromEntries(asked), scope: scopes.join(' ') }));
    const common = { iss: issuer, sub: 'alice', iat: now, exp: now + 300, jti: randomUUID() };
    const refreshToken = randomUUID();
    const isKept = kind.keepsRefreshToken === true && request.get('grant_type') === 'refresh_token';
    const isRefreshable = !isKept && (kind.refreshesOffline !== true || granted.includes('offline_access'));
    if (isRefreshable) refreshTokens.set(refreshToken, asked);
    return {
      access_token: claims === undefined ? `opaque-${randomUUID()}` : signer.sign({ ...common, ...claims }),
      token_type: 'Bearer',
      expires_in: 300,
      ...(isRefreshable && { refresh_token: refreshToken }),
      id_token: signer.sign({ ...common, aud: asked.get('client_id'), nonce: 'n' }),
      ...(answered && { scope: answered.join(' ') }),
    };
  }

  function register(req: IncomingMessage, res: ServerResponse, metadata: Record<string, unknown>): void {
    if (kind.registrationCredentials !== undefined && req.headers.authorization !== kind.registrationCredentials) {
      json(res, 401, { error: 'invalid_token', error_description: 'registration wants credentials' });
      return;
    }
    registrations.push(metadata);
    const refusal = kind.refuseRegistration?.(metadata);
    if (refusal !== undefined) {
      const [status, error, description] = refusal;
      json(res, status, { error, error_description: description });
      return;
    }
    const [redirectUri] = metadata.redirect_uris as [string];
    const id = randomUUID();
    const secret = metadata.token_endpoint_auth_method === 'none' ? undefined : randomUUID();
    clients.set(id, { id, secret, redirectUri, scope: metadata.scope as string | undefined });
    const more = { registration_access_token: 'manage-me', registration_client_uri: `${origin}/manage` };
    const method = secret &&
      kind.tokenEndpointAuthMethod && { token_endpoint_auth_method: kind.tokenEndpointAuthMethod };
    json(res, 201, { ...metadata, ...method, client_id: id, ...(secret && { client_secret: secret }), ...more });
  }

  return {
    origin,
    issuer,
    requests,
    registrations,
    sign: (claims) => signer.sign(claims),
    deleteClients: () => clients.clear(),
    register: ({ id, secret, redirectUri }) => void clients.set(id, { id, secret, redirectUri }),
    override: (path, override) => void overrides.set(path, override),
    close: () => stop(server),
  };
}

function pkceFault({ pkce }: ProviderBehaviour, form: Form): Refusal | undefined {
  if (pkce === undefined)
    return form.get('code_challenge_method') === 'S256' ? undefined : ['invalid_request', 'PKCE is required'];
  return form.has('code_challenge') ? ['invalid_request', 'Unknown parameter: code_challenge'] : undefined;
}

function json(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
