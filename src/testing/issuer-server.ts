import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { replyEmpty } from '../http/reply.js';
import { wellKnownPath } from '../http/well-known.js';
import type { Jwks } from '../index.js';
import { TENANT_ID } from '../policy/issuer-tenants.js';
import { wellKnownJwksUrl } from '../providers/provider.js';

/** The number of requests for each document. */
export interface RequestCounts {
  /** Of the key set. */
  jwks: number;
  /** Of the metadata (RFC 8414). */
  metadata: number;
  /** Of the introspection endpoint (RFC 7662). */
  introspection: number;
}

/** The answers of the server. */
export interface IssuerAnswers {
  /** The path of the issuer: empty, or such as `/{tenantid}/v2.0`. */
  readonly path: string;
  readonly readJwks: () => Jwks;
  /** Returns the status and the answer to a form that came with this `Authorization` header. */
  readonly introspect: (form: URLSearchParams, authorization: string | undefined) => readonly [number, object];
}

export const INTROSPECTION_PATH = '/introspect';
const JWKS_PATH = wellKnownPath('jwks.json');

/** A listening issuer. */
export type IssuerServer = Awaited<ReturnType<typeof startIssuerServer>>;

/**
 * Serves a key set and the issuer's metadata (RFC 8414) on a free loopback port. It does not keep the process running.
 *
 * @param requests Counts the requests.
 */
export async function startIssuerServer({ path, readJwks, introspect }: IssuerAnswers, requests: RequestCounts) {
  const server = createServer((req, res) => {
    if (req.method === 'POST' && req.url === INTROSPECTION_PATH) {
      requests.introspection += 1;
      text(req).then(
        (form) => answer(res, ...introspect(new URLSearchParams(form), req.headers.authorization)),
        () => res.destroy(),
      );
      return;
    }
    const isJwks = req.url === JWKS_PATH;
    const issuerPath = isJwks ? path : issuerPathAt(req.url ?? '', path);
    if (issuerPath === undefined) {
      replyEmpty(res, 404);
      return;
    }
    requests[isJwks ? 'jwks' : 'metadata'] += 1;
    res.setHeader('access-control-allow-origin', '*');
    answer(res, 200, isJwks ? readJwks() : buildMetadata(url, issuerPath));
  });
  // Connections that a client keeps alive would keep the process running too.
  server.on('connection', (socket) => socket.unref());
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  /** The origin. */
  const url = `http://127.0.0.1:${port}`;
  /** Listens again at the same address after `close()`. */
  const open = async () => {
    if (!server.listening) await listen(server, port);
  };
  return { url, open, close: () => stop(server) };
}

function answer(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify(body));
}

/** Returns the path of the issuer whose metadata is at this path, with the tenant that the path names. */
function issuerPathAt(path: string, template: string): string | undefined {
  const [openid, oauth] = [wellKnownPath('openid-configuration'), wellKnownPath('oauth-authorization-server')];
  const places = [
    [oauth, ''],
    [openid, ''],
    ['', openid],
  ] as const;
  for (const [before, after] of places) {
    const issuerPath = path.slice(before.length, path.length - after.length);
    if (path === before + issuerPath + after && isOf(template, issuerPath)) return issuerPath;
  }
  return undefined;
}

/** True if a path is the template with a tenant in it. */
function isOf(template: string, path: string): boolean {
  const [before = '', after] = template.split(TENANT_ID);
  if (after === undefined) return path === template;
  const tenant = path.slice(before.length, path.length - after.length);
  return path === before + tenant + after && /^[^/]+$/.test(tenant);
}

/** Names an authorization and a token endpoint because clients require them. Nothing answers there. */
function buildMetadata(url: string, path: string): Readonly<Record<string, unknown>> {
  return {
    // The metadata of Entra ID for all tenants says literally {tenantid}.
    issuer: url + path.replace(/^\/common(?=\/|$)/, `/${TENANT_ID}`),
    jwks_uri: wellKnownJwksUrl(url),
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    introspection_endpoint: `${url}${INTROSPECTION_PATH}`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
  };
}

async function listen(server: Server, port: number): Promise<void> {
  await once(server.listen(port, '127.0.0.1'), 'listening');
  server.unref();
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
}
