import type { IncomingMessage } from 'node:http';
import { printableAscii } from '../core/printable.js';
import { isRecord } from '../http/json-object.js';
import { BridgeError } from './bridge-error.js';
import { matchesNameHeader } from './header-value.js';
import type { ClientMessage } from './json-rpc.js';
import { needsNameHeader } from './mcp-call.js';

export const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
export const CAPABILITIES_KEY = 'io.modelcontextprotocol/clientCapabilities';

/** The revisions of MCP that have sessions. */
export const SESSION_REVISIONS: ReadonlySet<string> = new Set(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']);
export const LAST_SESSION_REVISION = '2025-11-25';
/** The only revision with batches. */
export const BATCH_REVISION = '2025-03-26';
export const FIRST_STATELESS_REVISION = '2026-07-28';

/** True if a header names a revision without sessions (2026-07-28 and later). */
export function namesStatelessRevision(req: IncomingMessage): boolean {
  const version = req.headers['mcp-protocol-version'];
  return typeof version === 'string' && !SESSION_REVISIONS.has(version) && version >= FIRST_STATELESS_REVISION;
}

/**
 * True if a message must be served without a session. The revision in its `_meta` decides. The header decides only if `_meta` names no
 * revision, so that a proxy that drops headers cannot change the meaning of a message.
 */
export function isStateless(req: IncomingMessage, message: ClientMessage): boolean {
  if (message.kind === 'response') return false;
  const version = metaOf(message)?.[VERSION_KEY];
  if (typeof version === 'string') return !SESSION_REVISIONS.has(version);
  return message.method === 'initialize' ? false : version !== undefined || namesStatelessRevision(req);
}

/**
 * Makes the checks that 2026-07-28 requires of an HTTP server: of headers, which the child never sees, and of `_meta`, which it may
 * not check.
 *
 * @throws {BridgeError}
 */
export function checkStatelessRequest(req: IncomingMessage, message: ClientMessage): void {
  const { id } = message;
  const meta = metaOf(message);
  const version = meta?.[VERSION_KEY];
  if (typeof version !== 'string') throw new BridgeError('invalid_meta', { id, detail: `${VERSION_KEY} is missing` });
  const { headers } = req;
  if (headers['mcp-protocol-version'] !== version) throw headerMismatch('MCP-Protocol-Version', id);
  if (headers['mcp-method'] !== message.method) throw headerMismatch('Mcp-Method', id);
  const name = headers['mcp-name'];
  if (name === undefined ? needsNameHeader(message) : !matchesNameHeader(name, message)) {
    throw headerMismatch('Mcp-Name', id);
  }
  if (!isRecord(meta?.[CAPABILITIES_KEY])) {
    throw new BridgeError('invalid_meta', { id, detail: `${CAPABILITIES_KEY} is missing` });
  }
}

/** Characters of a header's name within a message. The MCP server may have chosen the name. */
const MAX_NAME_LENGTH = 100;

export function headerMismatch(header: string, id: string | undefined): BridgeError {
  return new BridgeError('header_mismatch', {
    id,
    detail: `${printableAscii(header, MAX_NAME_LENGTH)} is missing or does not match the body`,
  });
}

export function metaOf(message: ClientMessage): Readonly<Record<string, unknown>> | undefined {
  const meta = message.params._meta;
  return isRecord(meta) ? meta : undefined;
}
