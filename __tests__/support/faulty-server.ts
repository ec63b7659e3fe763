import { createServer, type RequestListener } from 'node:http';
import express, { type Express } from 'express';
import { onTestFinished } from 'vitest';
import { examine } from '../../src/doctor/doctor.js';
import type { ReportedFinding } from '../../src/doctor/finding.js';
import { createProbe } from '../../src/doctor/probe.js';
import { type McpAuthOptions, type Middleware, mcpAuth, mcpCors, protectedResourceMetadata } from '../../src/index.js';
import { listen, originOf, serve, stop } from './loopback-server.js';
import { createSigner, type Signer } from './signer.js';

type Json = Record<string, unknown>;

/** What is wrong with a server that is good otherwise. */
export interface Fault {
  /** Changes the metadata of the authorization server; undefined in the place of a member takes it away. */
  readonly metadata?: (issuer: string) => Json;
  /** Answers in the place of the authorization server, where it answers. */
  readonly authorizationServer?: RequestListener;
  /** Before everything else at the MCP server. */
  readonly before?: Middleware;
  /** In the place of `mcpCors()`. */
  readonly cors?: Middleware;
  readonly policy?: (policy: { issuer: string; resource: string }) => Json;
  /** Added to the address that is looked at. */
  readonly suffix?: string;
}

export interface FaultyServer {
  readonly url: string;
  readonly issuer: string;
  readonly signer: Signer;
  /** The walk's findings, all or those that are not good. */
  walk(token?: string): Promise<ReportedFinding[]>;
}

/** An MCP server of ours and an authorization server, both good but for one fault. */
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
  const walk = async (token?: string) => {
    const findings: ReportedFinding[] = [];
    for await (const finding of examine({ url, token }, createProbe(url))) findings.push(finding);
    return findings;
  };
  return { url, issuer, signer, walk };
}

async function startAuthorizationServer(signer: Signer, { metadata, authorizationServer }: Fault): Promise<string> {
  const server = createServer((req, res) => {
    res.setHeader('access-control-allow-origin', '*').setHeader('content-type', 'application/json');
    if (req.url === '/jwks') res.end(JSON.stringify({ keys: [signer.jwk] }));
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

/** Answers these paths (or every path) in the place of the server. */
export function answering(paths: readonly string[], listener: RequestListener): Middleware {
  return (req, res, next) => {
    if (paths.length === 0 || paths.includes(req.url ?? '')) listener(req, res);
    else next();
  };
}

/** Rewrites a header of every 401 that is not for one of these verbs. */
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
