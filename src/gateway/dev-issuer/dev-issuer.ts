import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import cors from 'cors';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import type { Configuration, interactionPolicy, Provider } from 'oidc-provider';
import { escapeHtml, nameToHtml } from '../../http/html.js';
import { replyPage } from '../../http/page.js';
import { withoutClosingSlash } from '../../http/well-known.js';
import type { Logger } from '../../index.js';
import { StartupError } from '../startup-error.js';
import { createDevIssuerStore } from './dev-issuer-store.js';
import { loadOidcProvider, type OidcProvider } from './load-oidc-provider.js';

/** An authorization server for development: in memory, on this machine only, with one user. */
export interface DevIssuer {
  readonly issuer: string;
  /** The keys that verify its tokens. */
  readonly jwks: { readonly keys: readonly JWK[] };
  close(): Promise<void>;
}

/** A resource that it makes tokens for, and the scopes that it knows there. */
export interface DevResource {
  readonly resource: string;
  readonly scopes: readonly string[];
}

const USER = 'developer';
const HOST = '127.0.0.1';

/** @throws {StartupError} Where oidc-provider is not installed, or the port is not free. */
export async function startDevIssuer(
  port: number,
  resources: readonly DevResource[],
  logger: Logger,
): Promise<DevIssuer> {
  const library = await loadOidcProvider(logger);
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: 'dev', alg: 'ES256', use: 'sig' };
  const { d: _private, ...publicKey } = key;
  const server = createServer();
  await listen(server, port);
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  const provider = new library.default(issuer, configure(library, key, resources));
  server.on('request', createAnswer(provider, issuer, resources));
  return {
    issuer,
    jwks: { keys: [publicKey] },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function listen(server: Server, port: number): Promise<void> {
  try {
    await once(server.listen(port, HOST), 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be opened (${code})`;
    const fix = 'stop the program that uses it, or give --dev-issuer-port';
    throw new StartupError(`port ${port} on ${HOST} ${why}, which the development issuer needs: ${fix}`);
  }
}

function configure(library: OidcProvider, key: JWK, resources: readonly DevResource[]): Configuration {
  const known = new Map(resources.map(({ resource, scopes }) => [withoutClosingSlash(resource), scopes]));
  const [first] = resources;
  return {
    adapter: createDevIssuerStore(),
    cookies: { keys: [randomUUID()] },
    jwks: { keys: [key] },
    scopes: ['openid', 'offline_access', ...new Set(resources.flatMap(({ scopes }) => scopes))],
    // Clients of 2025-03-26 say little of themselves; most are programs on this machine.
    clientDefaults: {
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      id_token_signed_response_alg: 'ES256',
    },
    // The library's own page asks for a font from elsewhere.
    renderError(ctx, { error, error_description }) {
      ctx.type = 'text/plain';
      ctx.body = `${error}: ${error_description ?? 'nothing more is known'}`;
    },
    responseTypes: ['code'],
    pkce: { required: () => true },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    ttl: { AccessToken: 3_600, Grant: 86_400, Interaction: 1_800, RefreshToken: 86_400, Session: 86_400 },
    interactions: { policy: askEveryTime(library), url: (_ctx, { uid }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => (first ? [first.resource] : []),
        useGrantedResource: () => true,
        getResourceServerInfo(_ctx, indicator) {
          const scopes = known.get(withoutClosingSlash(indicator));
          if (scopes === undefined) throw new library.errors.InvalidTarget();
          return { scope: scopes.join(' '), audience: indicator, accessTokenFormat: 'jwt', accessTokenTTL: 3_600 };
        },
      },
    },
  };
}

/** Every page in this browser could start a login: without a click each time, it would get a token for this machine's tools. */
function askEveryTime({ interactionPolicy }: OidcProvider): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  const { Check } = interactionPolicy;
  const check = new Check('no_click', 'The developer has to agree', (ctx) =>
    ctx.oidc.result?.login === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
  );
  policy.get('login')?.checks.add(check);
  return policy;
}

function createAnswer(provider: Provider, issuer: string, resources: readonly DevResource[]) {
  const answer = provider.callback();
  const allowEveryOrigin = cors({ origin: '*' });
  const { host } = new URL(issuer);
  const hosts = [host, host.replace('localhost', HOST)];
  return (req: IncomingMessage, res: ServerResponse): void => {
    // A page whose name leads here by a trick of DNS must not press the button itself.
    if (!hosts.includes(req.headers.host ?? '')) res.writeHead(403).end();
    else if (req.url?.startsWith('/interaction/')) void interact(provider, req, res, resources);
    else allowEveryOrigin(req, res, () => void answer(req, res));
  };
}

async function interact(
  provider: Provider,
  req: IncomingMessage,
  res: ServerResponse,
  resources: readonly DevResource[],
): Promise<void> {
  try {
    const { params } = await provider.interactionDetails(req, res);
    if (req.method === 'POST') {
      const result = await agree(provider, params, resources);
      await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
    } else {
      const client = await provider.Client.find(params.client_id as string);
      replyLoginPage(res, client?.clientName, new URL(params.redirect_uri as string));
    }
  } catch (error) {
    const status = (error as Error).name === 'SessionNotFound' ? 400 : 500;
    res.writeHead(status, { 'content-type': 'text/plain' });
    res.end('This login has expired, or was begun in another browser. Connect again from your client.');
  }
}

/** The one user, and consent to all that the client asks for. */
async function agree(provider: Provider, params: Record<string, unknown>, resources: readonly DevResource[]) {
  const scope = String(params.scope ?? 'openid');
  const grant = new provider.Grant({ accountId: USER, clientId: params.client_id as string });
  grant.addOIDCScope(scope);
  for (const { resource } of resources) {
    for (const spelling of [resource, `${resource}/`, withoutClosingSlash(resource)])
      grant.addResourceScope(spelling, scope);
  }
  return { login: { accountId: USER }, consent: { grantId: await grant.save() } };
}

/** One button. It cannot be framed, so that no other page can have it pressed. */
function replyLoginPage(res: ServerResponse, name: string | undefined, { host, protocol }: URL): void {
  const target = host === '' ? protocol : host;
  const content = `<p><strong>${nameToHtml(name) ?? 'A client without a name'}</strong> wants a token. It is sent to
<strong>${escapeHtml(target)}</strong>. Go on only if you have just connected that client.</p>
<form method="post"><button>Log in as developer</button></form>`;
  replyPage(res, 200, 'Log in for development', content);
}
