import type { IncomingMessage } from 'node:http';
import { isRecord } from '../../http/json-object.js';
import { lowerAscii } from '../../http/lower-ascii.js';
import { decodeHeaderValue, PARAMETER_PREFIX } from '../../messages/header-value.js';
import type { ClientMessage } from '../../messages/json-rpc.js';
import { headerMismatch } from '../../messages/revision.js';
import { type RequestTarget, requestFromServer } from './internal-request.js';

/** One parameter of a tool that its calls repeat in a header (2026-07-28, Custom Headers from Tool Parameters). */
interface MirroredParameter {
  /** The header's name, in lower case. */
  readonly header: string;
  readonly path: readonly string[];
}

type Tools = ReadonlyMap<string, readonly MirroredParameter[]>;

const FRESH_MS = 60_000;
const LIST_MS = 10_000;
const MAX_PAGES = 50;
// Deeper than the parameters of any real tool, and far from a stack overflow.
const MAX_LEVELS = 64;
// A number in JSON: `Number()` also accepts white space around it, `0x2a` and `Infinity`.
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Checks the headers that repeat parameters of a tool call. A server's `tools/list` says which tools and parameters these are. */
export class ToolHeaders {
  readonly #server: RequestTarget;
  #tools: Tools = new Map();
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(server: RequestTarget) {
    this.#server = server;
  }

  /** Refuses a `tools/call` whose `Mcp-Param-` headers do not match its arguments. */
  async check(
    req: IncomingMessage,
    message: ClientMessage,
    meta: ReadonlyMap<string, string> | undefined,
  ): Promise<void> {
    if (this.#readAt === Number.NEGATIVE_INFINITY) await this.#read(meta);
    // If this fails, the next call reads the list again.
    else if (performance.now() - this.#readAt > FRESH_MS) this.#read(meta).catch(() => undefined);
    if (this.#mismatch(req, message) === undefined) return;
    // The tool may have changed: the latest schema is read before a call is refused.
    await this.#read(meta);
    const mismatch = this.#mismatch(req, message);
    if (mismatch !== undefined) throw headerMismatch(mismatch, message.id);
  }

  #mismatch(req: IncomingMessage, { params }: ClientMessage): string | undefined {
    const parameters = (typeof params.name === 'string' ? this.#tools.get(params.name) : undefined) ?? [];
    return parameters.find(({ header, path }) => !matches(req.headers[header], valueAt(params.arguments, path)))
      ?.header;
  }

  #read(meta: ReadonlyMap<string, string> | undefined): Promise<void> {
    this.#reading ??= readTools(this.#server, meta, this.#tools)
      .then((tools) => {
        this.#tools = tools;
        this.#readAt = performance.now();
      })
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }
}

/** Reads all pages of `tools/list`. If the server fails to send one, tools that are missing so far keep what was `known` about them. */
async function readTools(
  server: RequestTarget,
  meta: ReadonlyMap<string, string> | undefined,
  known: Tools,
): Promise<Tools> {
  const own = [...(meta ?? [])].map(([key, value]) => [key, JSON.parse(value)]);
  const tools = new Map<string, readonly MirroredParameter[]>();
  let cursor: unknown;
  for (let page = 0; page < MAX_PAGES; page++) {
    const params = { ...(cursor !== undefined && { cursor }), _meta: Object.fromEntries(own) };
    const { result } = await requestFromServer(server, 'tools/list', params, LIST_MS);
    if (!Array.isArray(result?.tools)) return new Map([...known, ...tools]);
    for (const tool of result.tools) {
      const parameters = mirroredIn(tool?.inputSchema);
      if (parameters.length > 0 && typeof tool.name === 'string') tools.set(tool.name, parameters);
    }
    cursor = result?.nextCursor;
    if (typeof cursor !== 'string') break;
  }
  return tools;
}

// Only parameters below `properties` count: a client ignores a tool whose schema marks others.
function mirroredIn(schema: unknown, path: readonly string[] = []): MirroredParameter[] {
  const { properties } = (schema ?? {}) as { properties?: Record<string, { 'x-mcp-header'?: unknown }> };
  if (!isRecord(properties) || path.length >= MAX_LEVELS) return [];
  return Object.entries(properties).flatMap(([name, property]) => {
    const mark = property?.['x-mcp-header'];
    const here = [...path, name];
    const found = typeof mark === 'string' ? [{ header: PARAMETER_PREFIX + lowerAscii(mark), path: here }] : [];
    return [...found, ...mirroredIn(property, here)];
  });
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const name of path) {
    if (!isRecord(at) || !Object.hasOwn(at, name)) return undefined;
    at = at[name];
  }
  return at;
}

function matches(header: string | string[] | undefined, value: unknown): boolean {
  if (value === undefined || value === null) return header === undefined;
  const text = decodeHeaderValue(header);
  // An object cannot be written as a header.
  if (text === undefined || typeof value === 'object') return false;
  // `42.0` and `42` are the same number.
  if (typeof value === 'number') return NUMBER.test(text) && Number(text) === value;
  return text === String(value);
}
