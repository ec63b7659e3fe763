import { createServer, type RequestListener } from 'node:http';
import express, { type Express } from 'express';
import { expect, onTestFinished } from 'vitest';
import { diagnose } from '../../src/doctor/doctor.js';
import type { Reader, ReportedFinding } from '../../src/doctor/finding.js';
import { createProbe } from '../../src/doctor/probe.js';
import { type McpAuthOptions, type Middleware, mcpAuth, mcpCors, protectedResourceMetadata } from '../../src/index.js';
import { resolveAuth } from '../../src/policy/resolve-auth.js';
import { listen, originOf, serve, stop } from './loopback-server.js';
import { createSigner, type Signer } from './signer.js';

type Json = Record<string, unknown>;

/** The only fault of a server that is good otherwise. */
export interface Fault {
  /** Changes the metadata of the authorization server; `undefined` removes a member. */
  readonly metadata?: (issuer: string) => Json;
  /** Answers all requests to the authorization server, except those for its keys. */
  readonly authorizationServer?: RequestListener;
  /** Replaces the authorization server's keys. */
  readonly keys?: readonly object[];
  /** Mounted before everything else at the MCP server. */
  readonly before?: Middleware;
  /** Replaces `mcpCors()`. */
  readonly cors?: Middleware;
  readonly policy?: (policy: { issuer: string; resource: string }) => Json;
  /** Added to the URL that the doctor is given. */
  readonly suffix?: string;
}

/** A response that replaces the server's. */
export interface Reply {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FaultyServer {
  readonly url: string;
  readonly issuer: string;
  readonly signer: Signer;
  /** Runs the doctor; `reader` is a user who has the URL alone, or the configuration file. */
  walk(token?: string, reader?: Reader): Promise<ReportedFinding[]>;
}

/** Starts an MCP server and its authorization server, both good but for one fault. */
export async function startFaultyServer(fault: Fault = {}): Promise<FaultyServer> {
  const signer = createSigner();
  const issuer = await startAuthorizationServer(signer, fault);
  let app: Express | undefined;
  const origin = await serve((req, res) => app?.(req, res));
  const resource = `${origin}/mcp`;
  const policy = {
    issuer,
    jwks: { url: `${issuer}/jwks` },
    requiredScopes: ['mcp:call'],
    resourceMetadata: { resource, scopesSupported: ['mcp:call', 'files:write'] },
    ...fault.policy?.({ issuer, resource }),
  } as McpAuthOptions;
  app = express();
  if (fault.before !== undefined) app.use(fault.before);
  app.use(fault.cors ?? mcpCors(), mcpAuth(policy), protectedResourceMetadata(policy));
  app.all('/mcp', (_req, res) => void res.json({ jsonrpc: '2.0', id: 1, result: {} }));
  const url = resource + (fault.suffix ?? '');
  const walk = async (token?: string, reader: Reader = 'code') => {
    const findings: ReportedFinding[] = [];
    const known = reader === 'file' ? resolveAuth('mcpAuth()', policy) : undefined;
    for await (const finding of diagnose({ url, token, policy: known }, createProbe(url))) findings.push(finding);
    return findings;
  };
  return { url, issuer, signer, walk };
}

async function startAuthorizationServer(
  signer: Signer,
  { metadata, authorizationServer, keys = [signer.jwk] }: Fault,
): Promise<string> {
  const server = createServer((req, res) => {
    res.setHeader('access-control-allow-origin', '*').setHeader('content-type', 'application/json');
    if (req.url === '/jwks') res.end(JSON.stringify({ keys }));
    else if (authorizationServer !== undefined) authorizationServer(req, res);
    else if (req.url === '/.well-known/oauth-authorization-server')
      res.end(JSON.stringify({ ...goodMetadata(issuer), ...metadata?.(issuer) }));
    else res.writeHead(404).end('{}');
  });
  await listen(server);
  onTestFinished(() => stop(server));
  const issuer = originOf(server);
  return issuer;
}

export function goodMetadata(issuer: string): Json {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
    jwks_uri: `${issuer}/jwks`,
    scopes_supported: ['mcp:call', 'files:write', 'offline_access'],
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  };
}

/** Answers these paths (or every path) instead of the server. */
export function answering(paths: readonly string[], listener: RequestListener): Middleware {
  return (req, res, next) => {
    if (paths.length === 0 || paths.includes(req.url ?? '')) listener(req, res);
    else next();
  };
}

/** Rewrites the challenge in every response to a request with this method. */
export function rewritingChallenge(rewrite: (header: string) => string | undefined, method = 'POST'): Middleware {
  return (req, res, next) => {
    const { setHeader } = res;
    res.setHeader = (name, value) => {
      const isChallenge = name.toLowerCase() === 'www-authenticate' && req.method === method;
      const rewritten = isChallenge ? rewrite(String(value)) : value;
      return rewritten === undefined ? res : setHeader.call(res, name, rewritten);
    };
    next();
  };
}

/** Sends this reply if `where` returns true; all other requests go on. */
export function replyingWhere(
  { status, body = '', headers = {} }: Reply,
  where: (...about: (string | undefined)[]) => boolean,
): Middleware {
  return (req, res, next) => {
    if (!where(req.headers.authorization, req.headers.origin, req.method, req.url)) return next();
    res.writeHead(status, { 'access-control-allow-origin': '*', ...headers }).end(body);
  };
}

/** A token that the server accepts. */
export function goodToken({ issuer, url, signer }: FaultyServer): string {
  return signer.sign({ iss: issuer, aud: url, sub: 'alice', scope: 'mcp:call', exp: 2e9 });
}

/** A finding as it is printed. */
export function lineOf(finding: ReportedFinding | undefined): string {
  const { status, step, seen, affects, fix } = finding as ReportedFinding;
  const mark = { ok: '✓', warning: '!', fault: '✗' }[status];
  return `${mark} ${step}: ${seen}${affects === undefined ? '' : `. ${affects} ${fix}`}`;
}

/** A warning or fault, without its advice. After "…" anything may follow. */
export type Complaint = `${'!' | '✗'} ${string}`;

/** Runs the doctor on a server with this fault. Every warning and fault must be expected, and must have whole sentences. */
export async function expectComplaints(fault: Fault, expected: readonly Complaint[]): Promise<void> {
  const { walk } = await startFaultyServer(fault);
  const bad = (await walk()).filter(({ status }) => status !== 'ok');
  const lines = bad.map(({ step, status, seen }) => `${status === 'fault' ? '✗' : '!'} ${step}: ${seen}`);
  expect(
    lines.map((line, i) => (expected[i]?.endsWith('…') ? `${line.slice(0, line.indexOf(': '))}: …` : line)),
  ).toEqual(expected);
  for (const { affects, fix } of bad) {
    for (const sentence of [affects, fix]) expect(sentence).toMatch(/^[A-Z].*\.$/s);
  }
}
