import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import cors from 'cors';
import type { JWK } from 'jose';
import type { Provider } from 'oidc-provider';
import { replyEmpty } from '../../http/reply.js';
import { requestHost } from '../../http/request-host.js';
import type { Logger } from '../../index.js';
import { StartupError } from '../startup-error.js';
import { configure } from './configuration.js';
import { createDevIssuerStore } from './dev-issuer-store.js';
import type { DevResource } from './dev-resource.js';
import { explainErrors } from './error-page.js';
import { loadOidcProvider } from './load-oidc-provider.js';
import { completeAuthorizationRequest, interact } from './one-click-login.js';
import { createKey, openSavedState } from './saved-state.js';
import { createSealedClients } from './sealed-clients.js';
import { signToken } from './sign-token.js';

export interface DevIssuerOptions {
  readonly port: number;
  readonly resources: readonly DevResource[];
  /** Lifetime of an access token. */
  readonly tokenSeconds: number;
  /** The file that saves its keys and grants for the next start. Undefined: they are lost when it ends. */
  readonly stateFile: string | undefined;
  readonly logger: Logger;
}

/** An authorization server for development: on this machine only, with one user. */
export interface DevIssuer extends DevIssuerIdentity {
  /** Issues tokens for these resources from now on. Logins and grants stay. */
  serve(resources: readonly DevResource[]): void;
  /**
   * Signs a token of its user for one of the resources, with all of its scopes, as a login would give it.
   *
   * @throws {Error} If it does not issue tokens for this resource.
   */
  issueToken(resource: string): Promise<string>;
  close(): Promise<void>;
}

/** The members that a policy needs. */
export interface DevIssuerIdentity {
  readonly issuer: string;
  /** The keys that verify its tokens. */
  readonly jwks: { readonly keys: readonly JWK[] };
}

const HOST = '127.0.0.1';

/** The URL by which clients reach the issuer. */
const urlFor = (port: number): string => `http://localhost:${port}`;

/** Replaces the issuer of this port while a configuration is only checked and the issuer does not run. */
export function devIssuerStandIn(port: number): DevIssuerIdentity {
  return { issuer: urlFor(port), jwks: { keys: [withoutPrivatePart(createKey())] } };
}

/**
 * Starts the development issuer on this machine. Other machines cannot reach it.
 *
 * @throws {StartupError} If oidc-provider is not installed, or the port is not free.
 */
export async function startDevIssuer(options: DevIssuerOptions): Promise<DevIssuer> {
  const { port, logger } = options;
  const library = await loadOidcProvider(logger);
  const server = createServer();
  await listen(server, port);
  const state = openSavedState(options.stateFile, logger);
  const { key } = state;
  const clients = createSealedClients(state.secret);
  const store = createDevIssuerStore(clients, state.dump);
  const issuer = urlFor((server.address() as AddressInfo).port);
  const cookieKeys = [randomUUID()];
  const listenerFor = (resources: readonly DevResource[]) => {
    const parts = { library, key, clients, store, cookieKeys, tokenSeconds: options.tokenSeconds, resources };
    const provider = new library.default(issuer, configure(parts));
    explainErrors(provider, logger);
    return createListener({ provider, issuer, resources, logger });
  };
  let served = options.resources;
  let listener = listenerFor(served);
  server.on('request', (req, res) => listener(req, res));
  return {
    issuer,
    serve(resources) {
      // oidc-provider reads its configuration once.
      if (isDeepStrictEqual(resources, served)) return;
      served = resources;
      listener = listenerFor(resources);
    },
    issueToken: (resource) => signToken({ issuer, key, resources: served, resource }),
    jwks: { keys: [withoutPrivatePart(key)] },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      state.save(store.dump());
    },
  };
}

function withoutPrivatePart({ d: _private, ...publicKey }: JWK): JWK {
  return publicKey;
}

async function listen(server: Server, port: number): Promise<void> {
  try {
    await once(server.listen(port, HOST), 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is in use' : `cannot be opened (${code})`;
    const fix = 'stop the program that uses it, or set --dev-issuer-port';
    throw new StartupError(`the development issuer needs port ${port} on ${HOST}, which ${why}: ${fix}`);
  }
}

interface ListenerParts extends Pick<DevIssuerOptions, 'resources' | 'logger'> {
  readonly provider: Provider;
  readonly issuer: string;
}

function createListener({ provider, issuer, resources, logger }: ListenerParts) {
  const answer = provider.callback();
  const allowEveryOrigin = cors({ origin: '*' });
  const { host } = new URL(issuer);
  const scopes = [...new Set(resources.flatMap((resource) => resource.scopes))];
  const hosts = [host, host.replace('localhost', HOST)];
  return (req: IncomingMessage, res: ServerResponse): void => {
    // Against DNS rebinding: a page on another host name must not press the button itself.
    if (!hosts.includes(requestHost(req))) replyEmpty(res, 403);
    else if (req.url?.startsWith('/interaction/')) void interact({ provider, resources, logger }, req, res);
    else {
      req.url = completeAuthorizationRequest(req.url ?? '/', scopes);
      allowEveryOrigin(req, res, () => void answer(req, res));
    }
  };
}
