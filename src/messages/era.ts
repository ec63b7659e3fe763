import type { IncomingMessage } from 'node:http';
import { BridgeError } from './bridge-error.js';
import type { ClientMessage } from './json-rpc.js';

export const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
export const CAPABILITIES_KEY = 'io.modelcontextprotocol/clientCapabilities';

/** The revisions with sessions. */
export const LEGACY_REVISIONS: ReadonlySet<string> = new Set(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']);
const FIRST_MODERN_REVISION = '2026-07-28';

/** Whether a header names a revision without sessions (2026-07-28 and later). */
export function namesModernRevision(req: IncomingMessage): boolean {
  const version = req.headers['mcp-protocol-version'];
  return typeof version === 'string' && !LEGACY_REVISIONS.has(version) && version >= FIRST_MODERN_REVISION;
}

/**
 * Whether a message is to be served without a session. What its `_meta` says counts; the header only where `_meta` is silent, so
 * that a proxy that loses headers cannot change what a message means.
 */
export function isModern(req: IncomingMessage, message: ClientMessage): boolean {
  if (message.kind === 'response') return false;
  const version = metaOf(message)?.[VERSION_KEY];
  if (typeof version === 'string') return !LEGACY_REVISIONS.has(version);
  return message.method === 'initialize' ? false : version !== undefined || namesModernRevision(req);
}

/** The checks that 2026-07-28 asks of a server on HTTP, of what the child never sees or takes for granted. */
export function checkModernRequest(req: IncomingMessage, message: ClientMessage): void {
  const { id } = message;
  const meta = metaOf(message);
  const version = meta?.[VERSION_KEY];
  if (typeof version !== 'string') throw new BridgeError('invalid_meta', { id, detail: `${VERSION_KEY} is missing` });
  const mismatch = (header: string): never => {
    throw new BridgeError('header_mismatch', { id, detail: `${header} is missing or does not match the body` });
  };
  const { headers } = req;
  if (headers['mcp-protocol-version'] !== version) mismatch('MCP-Protocol-Version');
  if (headers['mcp-method'] !== message.method) mismatch('Mcp-Method');
  const name = nameOf(message);
  if (name !== undefined && decodeHeader(headers['mcp-name']) !== name) mismatch('Mcp-Name');
  const capabilities = meta?.[CAPABILITIES_KEY];
  if (typeof capabilities !== 'object' || capabilities === null) {
    throw new BridgeError('invalid_meta', { id, detail: `${CAPABILITIES_KEY} is missing` });
  }
}

export function metaOf(message: ClientMessage): Readonly<Record<string, unknown>> | undefined {
  const meta = message.params._meta;
  return typeof meta === 'object' && meta !== null ? (meta as Record<string, unknown>) : undefined;
}

// Standard Request Headers of 2026-07-28: which requests have a name, and where.
const NAMED: ReadonlyMap<string, 'name' | 'uri'> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
]);

function nameOf(message: ClientMessage): string | undefined {
  const source = NAMED.get(message.method);
  const name = source && message.params[source];
  return typeof name === 'string' ? name : undefined;
}

const ENCODED = /^=\?base64\?(.*)\?=$/;

/** The text that a header carries; names that do not fit into one come in Base64 (2026-07-28, Value Encoding). */
export function decodeHeader(value: string | string[] | undefined): string | undefined {
  if (typeof value !== 'string') return undefined;
  const encoded = ENCODED.exec(value)?.[1];
  if (encoded === undefined) return value;
  const bytes = Buffer.from(encoded, 'base64');
  // Node's decoder passes over what is no Base64; here that is no value at all.
  return bytes.toString('base64') === encoded ? bytes.toString('utf8') : undefined;
}
