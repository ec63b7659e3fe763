import { parseJsonObject } from '../http/json-object.js';
import { fetchFailureReason } from '../upstream/fetch-failure.js';

const TIMEOUT_MS = 10_000;
const MOST_BYTES = 256 * 1024;

/** What came back. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where the body is not one JSON object. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
}

/** One request as a client would send it, but bounded, and without following redirects. */
export type Probe = (url: string, init?: RequestInit) => Promise<Answer>;

/** Nothing came back. `message` is a reason fit for a report. */
export class ProbeError extends Error {
  override readonly name = 'ProbeError';
}

/** For `catch()`, where an answer that did not come is a finding; whatever else went wrong is a fault of ours. */
export function probeErrorOf(error: unknown): ProbeError {
  if (error instanceof ProbeError) return error;
  throw error;
}

/** @throws {ProbeError} */
export const probe: Probe = async (url, init = {}) => {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await fetch(url, { ...init, redirect: 'manual', signal });
    return { status: response.status, headers: response.headers, json: parseJsonObject(await readStart(response)) };
  } catch (error) {
    throw new ProbeError(signal.aborted ? `no answer within ${TIMEOUT_MS / 1000} seconds` : fetchFailureReason(error), {
      cause: error,
    });
  }
};

/** The beginning of the body: a stream that never ends must not hold up the walk. */
async function readStart(response: Response): Promise<string> {
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
    await response.body?.cancel();
    return '';
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The first request of every MCP client. */
export const INITIALIZE: RequestInit = {
  method: 'POST',
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
  body: JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'express-mcp-auth doctor', version: '1' },
    },
  }),
};

/** Whether nobody on the way can read what is sent there: https, or this machine. */
export function isPrivate(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname));
}

export function withHeaders(init: RequestInit, headers: Readonly<Record<string, string>>): RequestInit {
  return { ...init, headers: { ...(init.headers as Record<string, string>), ...headers } };
}
