import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { wellKnownPath } from '../http/well-known.js';
import type { Jwks } from '../index.js';
import { wellKnownJwksUrl } from '../providers/provider.js';

/** The number of requests for each document. */
export interface RequestCounts {
  /** Of the key set. */
  jwks: number;
  /** Of the metadata (RFC 8414). */
  metadata: number;
}

/** A listening issuer. */
export type IssuerServer = Awaited<ReturnType<typeof startIssuerServer>>;

const METADATA_PATHS = [wellKnownPath('oauth-authorization-server'), wellKnownPath('openid-configuration')];

/** Serves a key set and the issuer's metadata (RFC 8414) on a free loopback port. It does not keep the process running. */
export async function startIssuerServer(readJwks: () => Jwks) {
  const requests: RequestCounts = { jwks: 0, metadata: 0 };
  const server = createServer((req, res) => {
    const document = documentFor(req.url ?? '');
    if (document === undefined) {
      res.writeHead(404).end();
      return;
    }
    requests[document] += 1;
    res.writeHead(200, { 'content-type': 'application/json', 'access-control-allow-origin': '*' });
    res.end(JSON.stringify(document === 'jwks' ? readJwks() : buildMetadata(url)));
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

function documentFor(path: string): keyof RequestCounts | undefined {
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
