import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { UpstreamError } from '../../src/core/errors.js';
import { createClientDocuments } from '../../src/oauth-proxy/documents/client-documents.js';
import type { DocumentNetwork } from '../../src/oauth-proxy/documents/document-fetch.js';
import { OAuthError } from '../../src/oauth-proxy/oauth-error.js';
import { NAMED_SERVER } from './certificates.js';
import { listen, stop } from './loopback-server.js';

/** A network in which every name leads to this machine, which counts as public. */
export const NETWORK: DocumentNetwork = {
  resolve: async () => [{ address: '127.0.0.1', family: 4 }],
  isPublic: (address) => address === '127.0.0.1',
  ca: NAMED_SERVER.cert,
  env: {},
};

export const CALLER = '192.0.2.1';

/** A source of documents, as the OAuth proxy of a public server has it. */
export function documentsOf({
  network = {},
  allow,
  hostname = 'mcp.example.com',
}: {
  network?: Partial<DocumentNetwork>;
  allow?: readonly string[];
  hostname?: string;
} = {}) {
  return createClientDocuments({ allow }, { hostname }, { ...NETWORK, ...network });
}

/** The text of a document that follows the rules, with other members. */
export function documentText(clientId: string, members: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ client_id: clientId, redirect_uris: ['https://app.example/callback'], ...members });
}

/** Answers with JSON. */
export function sendJson(res: ServerResponse, text: string, headers: Readonly<Record<string, string>> = {}): void {
  res.writeHead(200, { 'content-type': 'application/json', ...headers }).end(text);
}

/** Serves documents until the test ends, by default a good one at every URL of every name. */
export async function serveDocuments(
  answer: (req: IncomingMessage, res: ServerResponse, clientId: string) => void = (_req, res, clientId) =>
    sendJson(res, documentText(clientId)),
) {
  const requests: string[] = [];
  const listener: RequestListener = (req, res) => {
    const url = `https://${req.headers.host}${req.url}`;
    requests.push(url);
    answer(req, res, url);
  };
  const server = createServer(NAMED_SERVER, listener);
  await listen(server);
  onTestFinished(() => stop(server));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    /** The requested URLs. */
    requests,
    url: (path = '/client.json', host = 'app.clients.example') => `https://${host}:${port}${path}`,
  };
}

/** The error of an attempt: what the client learns, and what the log says. */
export async function refusalOf(attempt: Promise<unknown>) {
  const error: unknown = await attempt.then(
    () => expect.fail('it was accepted'),
    (error: unknown) => error,
  );
  if (error instanceof OAuthError) return { code: error.error as string, message: error.message, log: error.note };
  if (!(error instanceof UpstreamError)) throw error;
  const { code, status, message, retryAfterSeconds } = error;
  return { code: code as string, status, message, retryAfterSeconds, log: { reason: (error.cause as Error).message } };
}

/** The refusal of a fetch beyond the limits. */
export const TOO_MANY_DOCUMENTS = {
  code: 'too_many_client_documents',
  status: 503,
  message: 'Too many metadata documents of clients are being fetched at the moment',
};
