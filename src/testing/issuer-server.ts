import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { replyEmpty } from '../http/reply.js';
import { wellKnownPath } from '../http/well-known.js';
import type { Jwks } from '../index.js';
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
  readonly readJwks: () => Jwks;
  /** Returns the status and the answer to a form that came with this `Authorization` header. */
  readonly introspect: (form: URLSearchParams, authorization: string | undefined) => readonly [number, object];
}

export const INTROSPECTION_PATH = '/introspect';

/** A listening issuer. */
export type IssuerServer = Awaited<ReturnType<typeof startIssuerServer>>;

const METADATA_PATHS = [wellKnownPath('oauth-authorization-server'), wellKnownPath('openid-configuration')];

/** Serves a key set and the issuer's metadata (RFC 8414) on a free loopback port. It does not keep the process running. */
export async function startIssuerServer({ readJwks, introspect }: IssuerAnswers) {
  const requests: RequestCounts = { jwks: 0, metadata: 0, introspection: 0 };
  const server = createServer((req, res) => {
    if (req.method === 'POST' && req.url === INTROSPECTION_PATH) {
      requests.introspection += 1;
      text(req).then(
        (form) => answer(res, ...introspect(new URLSearchParams(form), req.headers.authorization)),
        () => res.destroy(),
      );
      return;
    }
    const document = documentFor(req.url ?? '');
    if (document === undefined) {
      replyEmpty(res, 404);
      return;
    }
    requests[document] += 1;
    res.setHeader('access-control-allow-origin', '*');
    answer(res, 200, document === 'jwks' ? readJwks() : buildMetadata(url));
  });
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  /** The issuer, without a closing slash. */
  const url = `http://127.0.0.1:${port}`;
  /** Listens again at the same address after `close()`. */
  const open = async () => {
    if (!server.listening) await listen(server, port);
  };
  return { url, requests: requests as Readonly<RequestCounts>, open, close: () => stop(server) };
}

function answer(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify(body));
}

function documentFor(path: string): 'jwks' | 'metadata' | undefined {
  if (path === wellKnownPath('jwks.json')) return 'jwks';
  return METADATA_PATHS.includes(path) ? 'metadata' : undefined;
}

/** Names an authorization and a token endpoint because clients require them. Nothing answers there. */
function buildMetadata(issuer: string): Readonly<Record<string, unknown>> {
  return {
    issuer,
    jwks_uri: wellKnownJwksUrl(issuer),
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    introspection_endpoint: `${issuer}${INTROSPECTION_PATH}`,
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
