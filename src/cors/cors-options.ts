import { adviceFor } from '../core/advice.js';
import type { Logger } from '../core/logger.js';
import { canParseUrl } from '../http/can-parse-url.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { requireArgument } from '../options/argument.js';
import { createChecks, type OptionChecks } from '../options/checks.js';
import { resolveLogger } from '../options/logger-option.js';
import { flag, type OptionTable, type ResolvedOptions, readOptions, wholeNumber } from '../options/option-table.js';

/** The options of `mcpCors()`. A list replaces the default; it does not add to it. */
export interface McpCorsOptions {
  /**
   * The origins whose pages may read answers: exact (`https://app.example.com`), with a star for the labels before a
   * domain (`https://*.example.com`) or for the port (`http://localhost:*`), or `'*'` for every origin.
   *
   * @default '*'
   */
  readonly allowedOrigins?: '*' | readonly string[] | undefined;
  /**
   * Header fields that a page may send; `Mcp-Param-*` stands for all names that begin with `Mcp-Param-`, and `['*']` for every
   * name.
   *
   * @default ['Authorization', 'Content-Type', 'Accept', 'Mcp-Session-Id', 'MCP-Protocol-Version', 'Last-Event-ID',
   * 'Mcp-Method', 'Mcp-Name', 'DPoP', 'Mcp-Param-*']
   */
  readonly allowedHeaders?: readonly string[] | undefined;
  /**
   * Header fields that a page may read; `['*']` stands for all of them, but not with `credentials` (Fetch standard).
   *
   * @default ['WWW-Authenticate', 'Mcp-Session-Id', 'MCP-Protocol-Version']
   */
  readonly exposedHeaders?: readonly string[] | undefined;
  /**
   * `['*']` stands for all of them, but not with `credentials` (Fetch standard).
   *
   * @default ['GET', 'HEAD', 'POST', 'DELETE']
   */
  readonly methods?: readonly string[] | undefined;
  /** Allows requests with cookies. Bearer tokens need none. Cannot be combined with every origin. @default false */
  readonly credentials?: boolean | undefined;
  /** Seconds for which a browser may remember the answer to a preflight. @default 600 */
  readonly maxAgeSeconds?: number | undefined;
  /** Gets warnings about what clients in a browser cannot do. @default no logging */
  readonly logger?: Logger | undefined;
}

const CREDENTIALS_FIX = 'Leave it out: bearer tokens need no cookies. If you need them, list the origins.';

/** The headers that every MCP client in a browser sends (MCP specification 2025-03-26 to 2026-07-28). */
export const REQUEST_HEADERS = Object.freeze([
  'Authorization',
  'Content-Type',
  'Accept',
  'Mcp-Session-Id',
  'MCP-Protocol-Version',
  'Last-Event-ID',
  'Mcp-Method',
  'Mcp-Name',
]);

/** The defaults are those that MCP clients in a browser need (MCP specification; RFC 6750; RFC 9728). */
export const CORS_TABLE = {
  allowedOrigins: { default: '*', read: resolveOrigins },
  // Only some clients send proofs (RFC 9449), and parameters of tools that are mirrored (MCP 2026-07-28).
  allowedHeaders: { default: [...REQUEST_HEADERS, 'DPoP', 'Mcp-Param-*'], read: requireTokens },
  exposedHeaders: { default: ['WWW-Authenticate', 'Mcp-Session-Id', 'MCP-Protocol-Version'], read: requireTokens },
  methods: { default: ['GET', 'HEAD', 'POST', 'DELETE'], read: requireTokens },
  credentials: flag(false, CREDENTIALS_FIX),
  maxAgeSeconds: wholeNumber(600, 0, 'Leave it out for 10 minutes.'),
  logger: { read: resolveLogger },
} satisfies OptionTable<McpCorsOptions>;

/** The names of the options in a configuration file, which are those of agentgateway. */
export const CORS_NAMES_IN_FILE: ReadonlyMap<string, string> = new Map([
  ['allowedOrigins', 'allowOrigins'],
  ['allowedHeaders', 'allowHeaders'],
  ['exposedHeaders', 'exposeHeaders'],
  ['methods', 'allowMethods'],
  ['credentials', 'allowCredentials'],
  ['maxAgeSeconds', 'maxAge'],
] satisfies [keyof McpCorsOptions, string][]);

export interface ResolvedCors extends Omit<ResolvedOptions<typeof CORS_TABLE>, 'allowedHeaders'> {
  readonly allowedHeaders: '*' | readonly string[];
  /** Beginnings of further allowed header names, in lower case. */
  readonly allowedHeaderPrefixes: readonly string[];
}

/** @throws {ConfigError} */
export function resolveCors(options: Readonly<McpCorsOptions>): ResolvedCors {
  const checks = createChecks('mcpCors()', adviceFor(options, 'mcpCors()').names);
  const given = requireArgument(checks, options, { example: '' });
  const { allowedHeaders, ...resolved } = readOptions(checks, CORS_TABLE, given);
  if (resolved.credentials && resolved.allowedOrigins === '*') {
    checks.refuse('credentials', 'false where every origin is allowed', true, CREDENTIALS_FIX);
  }
  const isPrefix = (name: string) => name.endsWith('*');
  return Object.freeze({
    ...resolved,
    allowedHeaders: allowedHeaders.includes('*') ? '*' : allowedHeaders.filter((name) => !isPrefix(name)),
    allowedHeaderPrefixes: allowedHeaders.filter(isPrefix).map((name) => lowerAscii(name.slice(0, -1))),
  });
}

/** The grammar of a header name and of a method (RFC 9110, section 5.6.2: token). */
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

function requireTokens(checks: OptionChecks, value: unknown, option: string): readonly string[] {
  const fix = 'List names, such as "Authorization" or "POST"; leave it out for what MCP clients need.';
  const list = checks.strings(value, option, fix);
  return list.every((name) => TOKEN.test(name)) ? list : checks.refuse(option, 'an array of names', value, fix);
}

const ORIGINS_FIX = 'Write "https://app.example.com", "https://*.example.com", "http://localhost:*", or "*".';

function resolveOrigins(checks: OptionChecks, value: unknown, option: string): '*' | readonly (string | RegExp)[] {
  if (value === '*') return '*';
  const list = checks.strings(value, option, ORIGINS_FIX);
  if (list.includes('*')) return '*';
  return Object.freeze(list.map((origin, i) => resolveOrigin(checks, origin, `${option}[${i}]`)));
}

/** A scheme, then a host as `URL` writes it, then a port. The star is allowed before the host and as the port. */
const ORIGIN = /^([a-z][a-z\d+.-]*:\/\/)(\*\.)?([a-z\d._~-]+|\[[\da-f:.]+\])(?::(\d{1,5}|\*))?$/;

/** Requires the spelling that browsers send (RFC 6454, section 6.2). Another spelling would never match. */
function resolveOrigin(checks: OptionChecks, origin: string, option: string): string | RegExp {
  const [, scheme, subdomains, host, port] = ORIGIN.exec(origin) ?? [];
  if (scheme === undefined || host === undefined || !isSpeltByBrowsers(origin)) {
    return checks.refuse(option, 'an origin in lower case, without path and default port', origin, ORIGINS_FIX);
  }
  if (subdomains === undefined && port !== '*') return origin;
  const start = escapeRegExp(scheme) + (subdomains === undefined ? '' : '[a-z\\d.-]+\\.') + escapeRegExp(host);
  const end = port === '*' ? '(?::\\d{1,5})?' : escapeRegExp(port === undefined ? '' : `:${port}`);
  return new RegExp(`^${start}${end}$`);
}

function isSpeltByBrowsers(origin: string): boolean {
  const example = origin.replace('*.', 'a.').replace(/:\*$/, '');
  if (!/^https?:/.test(example)) return true;
  return canParseUrl(example) && new URL(example).origin === example;
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\-]/g, '\\$&');
}
