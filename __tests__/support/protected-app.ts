import express, { type Express } from 'express';
import request, { type Response } from 'supertest';
import { expect } from 'vitest';
import { getAuth, type McpAuth, type McpAuthOptions, mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { createSigner, type Signer } from './signer.js';

export const ISSUER = 'https://issuer.example';
export const RESOURCE = 'https://mcp.example/mcp';
export const METADATA_URL = 'https://mcp.example/.well-known/oauth-protected-resource/mcp';

/** Valid claims, with `changes`. */
export function claims(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  return { iss: ISSUER, aud: RESOURCE, sub: 'alice', iat: now, exp: now + 3600, ...changes };
}

export interface ProtectedApp {
  readonly app: Express;
  readonly auth: McpAuth;
  readonly signer: Signer;
  /** GET /mcp with this `Authorization` header, or none. */
  get(authorization?: string, path?: string): Promise<Response>;
  /** GET /mcp with a bearer token. */
  send(token: string): Promise<Response>;
}

/** A real Express app behind `mcpAuth()`: every path answers with the caller's identity and the credentials that it received. */
export function createProtectedApp(changes: Record<string, unknown> = {}, signer = createSigner()): ProtectedApp {
  const policy = {
    issuer: ISSUER,
    jwks: { keys: [signer.jwk] },
    resourceMetadata: { resource: RESOURCE },
    ...changes,
  } as McpAuthOptions;
  const app = express();
  const auth = mcpAuth(policy);
  app.use(auth, protectedResourceMetadata(policy));
  app.all('/{*any}', (req, res) => {
    const { token: _, ...seen } = getAuth(req) ?? {};
    const credentials = req.rawHeaders.filter((name) => /^(?:authorization|dpop)$/i.test(name));
    const authorization = req.headers.authorization ?? null;
    res.json({ anonymous: getAuth(req) === undefined, ...seen, authorization, credentials });
  });
  const get = async (authorization?: string, path = '/mcp') => {
    const call = request(app).get(path);
    return authorization === undefined ? call : call.set('authorization', authorization);
  };
  return { app, auth, signer, get, send: (token) => get(`Bearer ${token}`) };
}

/** A protected app for each mode. `send()` checks that optional mode refuses like strict mode, and permissive mode passes as anonymous. */
export function createAppInEveryMode(
  changes: Record<string, unknown> = {},
  signer = createSigner(),
): Pick<ProtectedApp, 'get' | 'send'> {
  const strict = createProtectedApp(changes, signer);
  const optional = createProtectedApp({ ...changes, mode: 'optional' }, signer);
  const permissive = createProtectedApp({ ...changes, mode: 'permissive' }, signer);
  const seen = ({ status, body, headers }: Response) => [status, body, headers['www-authenticate']];

  async function send(token: string): Promise<Response> {
    const response = await strict.send(token);
    expect(seen(await optional.send(token)), 'in optional mode').toEqual(seen(response));
    const anonymous = [200, { anonymous: true, authorization: null, credentials: [] }, undefined];
    const expected = response.status === 200 ? seen(response) : anonymous;
    expect(seen(await permissive.send(token)), 'in permissive mode').toEqual(expected);
    return response;
  }

  return { get: strict.get, send };
}

/** Splits a challenge into its scheme and parameters, by the grammar of RFC 9110. */
export function parseChallenge(header: string | undefined): Record<string, string> {
  const [, scheme = '', rest = ''] = /^(\S+) (.*)$/.exec(header ?? '') ?? [];
  const parameters: Record<string, string> = { scheme };
  const whole = rest.replace(/([a-z_]+)="((?:[^"\\]|\\.)*)"(?:, |$)/g, (_match, name: string, value: string) => {
    parameters[name] = value.replace(/\\(.)/g, '$1');
    return '';
  });
  expect(whole, 'nothing is left of the challenge').toBe('');
  return parameters;
}

/** Expects a complete 401 answer for a token that is not accepted. */
export function expectInvalidToken(response: Response, description: string): void {
  expect(response.body).toEqual({ error: 'invalid_token', error_description: description });
  expect(response.status).toBe(401);
  expect(parseChallenge(response.headers['www-authenticate'])).toEqual({
    scheme: 'Bearer',
    error: 'invalid_token',
    error_description: description,
    resource_metadata: METADATA_URL,
  });
}

/** Expects a complete 401 answer for a request without a token. */
export function expectTokenRequired(response: Response): void {
  expect(response.text).toBe('{"error":"unauthorized","error_description":"JWT token required"}');
  expect(response.status).toBe(401);
  expect(response.headers['content-type']).toBe('application/json');
  expect(response.headers['www-authenticate']).toBe(`Bearer resource_metadata="${METADATA_URL}"`);
}
