import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Response } from 'supertest';
import { expect, onTestFinished } from 'vitest';
import { listen, originOf, stop } from './loopback-server.js';
import { claims, createProtectedApp, type ProtectedApp } from './protected-app.js';

type Json = Readonly<Record<string, unknown>>;
type Behaviour = (res: ServerResponse, form: URLSearchParams) => void;

/** An introspection endpoint as strict as RFC 7662. It counts its calls, and can misbehave. */
export interface IntrospectionServer {
  readonly origin: string;
  readonly url: string;
  /** The tokens that it was asked about, in order. */
  readonly asked: readonly string[];
  /** The options of a policy. */
  readonly introspection: { readonly endpoint: string; readonly clientId: string; readonly clientSecret: string };
  /** Issues an opaque token with good claims and these changes. */
  issue(changes?: Json): string;
  revoke(token: string): void;
  /** Answers later requests in another way; `undefined`: as it should. */
  behave(behaviour: Behaviour | undefined): void;
  goDown(): Promise<void>;
  comeBack(): Promise<void>;
}

/** A secret with every character that form encoding changes (RFC 6749, section 2.3.1). */
const CLIENT = { clientId: 'mcp server:1', clientSecret: 's3cret +/=%&äß' };

export async function startIntrospectionServer(): Promise<IntrospectionServer> {
  const tokens = new Map<string, Json>();
  const asked: string[] = [];
  let behaviour: Behaviour | undefined;
  const server = createServer((req, res) => void handle(req, res));

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await text(req));
    const token = form.get('token') ?? '';
    asked.push(token);
    if (behaviour !== undefined) behaviour(res, form);
    else if (req.method !== 'POST' || req.headers['content-type'] !== 'application/x-www-form-urlencoded')
      replyJson(res, { error: 'invalid_request' }, 400);
    else if (!isAuthenticated(req.headers.authorization, form)) replyJson(res, { error: 'invalid_client' }, 401);
    else replyJson(res, tokens.has(token) ? { active: true, ...tokens.get(token) } : { active: false });
  }

  await listen(server);
  onTestFinished(() => stop(server));
  const { port } = server.address() as AddressInfo;
  const origin = originOf(server);
  const url = `${origin}/introspect`;
  return {
    origin,
    url,
    asked,
    introspection: { endpoint: url, ...CLIENT },
    issue(changes = {}) {
      const token = randomBytes(24).toString('base64url');
      tokens.set(token, claims({ scope: 'read', client_id: 'app', token_type: 'Bearer', ...changes }));
      return token;
    },
    revoke: (token) => void tokens.delete(token),
    behave: (next) => {
      behaviour = next;
    },
    goDown: () => stop(server),
    comeBack: () => listen(server, port),
  };
}

/** RFC 6749, section 2.3.1: form-encoded in the header, or plain members of the form, but not both. */
function isAuthenticated(authorization: string | undefined, form: URLSearchParams): boolean {
  if (authorization === undefined) {
    return form.get('client_id') === CLIENT.clientId && form.get('client_secret') === CLIENT.clientSecret;
  }
  const encoded = [CLIENT.clientId, CLIENT.clientSecret].map((part) => encodeURIComponent(part).replaceAll('%20', '+'));
  const expected = `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
  return authorization === expected && !form.has('client_id') && !form.has('client_secret');
}

export function replyJson(res: ServerResponse, body: unknown, status = 200): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** A protected app that asks a server about opaque tokens. `introspection` in `changes` is merged over its options. */
export async function setUpIntrospection(changes: Record<string, unknown> = {}): Promise<{
  readonly server: IntrospectionServer;
  readonly policy: Record<string, unknown>;
  readonly protectedApp: ProtectedApp;
}> {
  const server = await startIntrospectionServer();
  const { introspection, ...others } = changes;
  const policy = { introspection: { ...server.introspection, ...(introspection as object) }, ...others };
  return { server, policy, protectedApp: createProtectedApp(policy) };
}

/** Expects a 503 that blames no client. */
export function expectOutage(response: Response): void {
  expect(response.status).toBe(503);
  expect(response.headers['www-authenticate']).toBeUndefined();
  expect(Number(response.headers['retry-after'])).toBeGreaterThanOrEqual(1);
}
