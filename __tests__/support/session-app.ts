import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import express from 'express';
import { getAuth, type McpAuthOptions, type Middleware, mcpAuth } from '../../src/index.js';
import { serve } from './loopback-server.js';
import { createRecordingLogger } from './recording-logger.js';
import { createSigner } from './signer.js';

const ISSUER = 'https://issuer.example';
const signer = createSigner();

/** A policy for the tokens of {@link userOf}. */
export function sessionPolicy(changes: Readonly<Record<string, unknown>> = {}): McpAuthOptions {
  return { issuer: ISSUER, audiences: ['mcp'], jwks: { keys: [signer.jwk] }, ...changes } as McpAuthOptions;
}

let serial = 0;

/** The header of a new token of this user, as a client has it after each refresh; none for an anonymous caller. */
export function userOf(name: string | undefined, claims: Readonly<Record<string, unknown>> = {}) {
  if (name === undefined) return {};
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const token = signer.sign({
    iss: ISSUER,
    aud: 'mcp',
    sub: name,
    client_id: 'c',
    exp,
    jti: String(++serial),
    ...claims,
  });
  return { authorization: `Bearer ${token}` };
}

/** The parts of one request that the trusting server saw. */
export interface SeenRequest {
  readonly method: string;
  readonly user: string | undefined;
  readonly id: string | undefined;
  /** From `rawHeaders`. */
  readonly rawId: string | undefined;
}

/** A server whose sessions are not protected: it serves every caller who knows an id. */
export function createTrustingServer() {
  const sessions = new Set<string>();
  const seen: SeenRequest[] = [];
  const handle: Middleware = (req: IncomingMessage, res: ServerResponse) => {
    const id = req.headers['mcp-session-id']?.toString();
    const at = req.rawHeaders.findIndex((name, i) => i % 2 === 0 && /^mcp-session-id$/i.test(name));
    const rawId = at === -1 ? undefined : req.rawHeaders[at + 1];
    seen.push({ method: req.method ?? '', user: getAuth(req)?.subject, id, rawId });
    if (!id) {
      const fresh = randomUUID();
      sessions.add(fresh);
      res.setHeader('mcp-session-id', fresh);
      res.end(JSON.stringify({ opened: true }));
    } else if (sessions.has(id)) res.setHeader('mcp-session-id', id).end(JSON.stringify({ served: true }));
    else res.writeHead(404).end('{"from":"the server"}');
  };
  return { handle, seen, sessions };
}

export interface Reply {
  readonly status: number;
  readonly id: string | undefined;
  readonly body: string;
}

/** Sends one request, as `user` or as an anonymous caller. */
export async function ask(
  url: string,
  user: string | undefined,
  id?: string,
  { method = 'POST', headers = {} }: { method?: string; headers?: Readonly<Record<string, string>> } = {},
): Promise<Reply> {
  const response = await fetch(url, {
    method,
    headers: { ...userOf(user), ...headers, ...(id !== undefined && { 'mcp-session-id': id }) },
    ...(method === 'POST' && { body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' }),
  });
  return {
    status: response.status,
    id: response.headers.get('mcp-session-id') ?? undefined,
    body: await response.text(),
  };
}

/** The answer of our own backends for a session that they do not know. */
export const UNKNOWN_SESSION: Reply = {
  status: 404,
  id: undefined,
  body: '{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found","data":{"reason":"unknown_session"}}}',
};

/** A trusting server in an Express app behind `mcpAuth()`. */
export async function startSessionApp(
  changes: Readonly<Record<string, unknown>> = {},
  server = createTrustingServer(),
) {
  const { logger, lines } = createRecordingLogger();
  const app = express().use('/mcp', mcpAuth(sessionPolicy({ logger, ...changes })), server.handle);
  const url = `${await serve(app)}/mcp`;
  const open = async (user: string | undefined): Promise<string> => {
    const { status, id } = await ask(url, user);
    if (status !== 200 || id === undefined) throw new Error(`no session: ${status}`);
    return id;
  };
  return { ...server, url, open, lines };
}
