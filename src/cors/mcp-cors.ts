import type { IncomingMessage } from 'node:http';
import cors from 'cors';
import { type Advice, adviceFor } from '../core/advice.js';
import { lowerAscii } from '../http/lower-ascii.js';
import type { Middleware } from '../http/middleware.js';
import { trimOws } from '../http/ows.js';
import { CORS_TABLE, type McpCorsOptions, type ResolvedCors, resolveCors, TOKEN } from './cors-options.js';

/**
 * Lets MCP clients in a browser call this server from pages of other origins. Mount it before `mcpAuth()`: it answers preflights,
 * which carry no token, and adds its headers to every later answer, including refusals and failures.
 *
 * CORS controls what pages may read. It does not refuse requests; `mcpAuth()` does that.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { mcpAuth, mcpCors } from 'express-mcp-auth';
 *
 * const app = express();
 * app.use(mcpCors({ allowedOrigins: ['https://app.example.com', 'http://localhost:*'] }));
 * app.use(mcpAuth({ issuer: 'https://auth.example.com', audiences: ['https://mcp.example.com/mcp'] }));
 * ```
 *
 * @throws {ConfigError}
 */
export function mcpCors(options: Readonly<McpCorsOptions> = {}): Middleware {
  const resolved = resolveCors(options);
  for (const line of weaknesses(resolved, adviceFor(options, 'mcpCors()'))) resolved.logger.warn(`mcpCors(): ${line}`);
  const fixed = {
    // A list, not a function: if a function denies an origin, the package passes the preflight to the next middleware.
    origin: resolved.allowedOrigins === '*' ? '*' : [...resolved.allowedOrigins],
    exposedHeaders: [...resolved.exposedHeaders],
    methods: [...resolved.methods],
    credentials: resolved.credentials,
    maxAge: resolved.maxAgeSeconds,
  };
  const apply = cors<IncomingMessage>((req, done) => done(null, { ...fixed, ...headersAllowedFor(req, resolved) }));

  return function mcpCorsMiddleware(req, res, next) {
    apply(req, res, next);
  };
}

/** Returns the listed header names, and requested names with an allowed prefix. The answer can vary, since OPTIONS is not cached. */
function headersAllowedFor(req: IncomingMessage, resolved: ResolvedCors): { allowedHeaders?: string[] } {
  // Without this member the package allows whatever a preflight asks for: a literal "*" would not cover Authorization.
  if (resolved.allowedHeaders === '*') return {};
  if (req.method !== 'OPTIONS') return { allowedHeaders: [] };
  const asked = String(req.headers['access-control-request-headers'] ?? '').split(',');
  const further = asked
    .map(trimOws)
    .filter((name) => TOKEN.test(name) && isCovered(resolved.allowedHeaderPrefixes, name));
  return { allowedHeaders: [...resolved.allowedHeaders, ...further] };
}

function isCovered(prefixes: readonly string[], name: string): boolean {
  return prefixes.some((prefix) => lowerAscii(name).startsWith(prefix));
}

/** The things that a browser client cannot do if a name is not allowed. Accept, GET, HEAD and POST are always allowed (Fetch standard, 2.2). */
const NEEDED_FOR: Readonly<Record<string, string>> = {
  Authorization: 'send its token',
  'Content-Type': 'send JSON',
  'Mcp-Session-Id': 'keep its session',
  'MCP-Protocol-Version': 'say which protocol it speaks',
  'Last-Event-ID': 'resume a stream',
  'Mcp-Method': 'speak MCP 2026-07-28',
  'Mcp-Name': 'speak MCP 2026-07-28',
  'WWW-Authenticate': 'find out where to log in',
  DELETE: 'end its session',
};

function weaknesses(resolved: ResolvedCors, { names, everyOrigin }: Advice): string[] {
  const written = (option: string) => names.get(option) ?? option;
  const missed = whatBrowsersWillMiss(resolved).map(([option, what]) => `${written(option)} ${what}`);
  if (resolved.allowedOrigins !== '*') return missed;
  const line = `${written('allowedOrigins')} is "*", so pages of every origin may read answers: ${everyOrigin}`;
  return [line, ...missed];
}

function whatBrowsersWillMiss(resolved: ResolvedCors): [option: string, what: string][] {
  return (['allowedHeaders', 'exposedHeaders', 'methods'] as const).flatMap((option) => {
    const given = resolved[option];
    // With cookies, "*" in a list is an ordinary name (Fetch standard).
    if (given === '*' || (given.includes('*') && !resolved.credentials)) return [];
    const names = given.map(lowerAscii);
    const prefixes = option === 'allowedHeaders' ? resolved.allowedHeaderPrefixes : [];
    const isThere = (name: string) => names.includes(lowerAscii(name)) || isCovered(prefixes, name);
    const missing = CORS_TABLE[option].default.filter((name) => !isThere(name) && NEEDED_FOR[name] !== undefined);
    return missing.map((name) => [option, `lacks "${name}": a client in a browser cannot ${NEEDED_FOR[name]}`]);
  });
}
