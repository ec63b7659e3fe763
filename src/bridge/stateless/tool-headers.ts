import type { IncomingMessage } from 'node:http';
import { isRecord } from '../../http/json-object.js';
import { decodeHeaderValue } from '../../messages/header-value.js';
import type { ClientMessage } from '../../messages/json-rpc.js';
import { headerMismatch } from '../../messages/revision.js';
import { type RequestTarget, requestFromServer } from './internal-request.js';
import { MirroringTools } from './mirrored-parameters.js';

const FRESH_MS = 60_000;
// After this time, a list that the server failed to send is read again. It doubles with each failure: calls wait for the list.
const RETRY_MS = 500;
// Until there is a list, calls pass unchecked in that time.
const MAX_UNCHECKED_MS = 4_000;
const LIST_MS = 10_000;
const MAX_PAGES = 50;
/** Bytes of all pages of a list. Of a longer list, the calls of tools on later pages pass unchecked. */
const MAX_LIST_BYTES = 8_388_608;
// A number in JSON: `Number()` also accepts white space around it, `0x2a` and `Infinity`.
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A server whose tools are known from its lists. */
export interface ToolServer extends RequestTarget {
  /** See `Connection.cursorFor()`. */
  cursorFor(tool: string): string | undefined;
}

/** Checks the headers that repeat parameters of a tool call. A server's `tools/list` says which tools and parameters these are. */
export class ToolHeaders {
  readonly #server: ToolServer;
  /** By the cursor with which the list begins. */
  readonly #lists = new Map<string | undefined, MirroredTools>();

  constructor(server: ToolServer) {
    this.#server = server;
  }

  /** Refuses a `tools/call` whose `Mcp-Param-` headers do not match its arguments. */
  check(req: IncomingMessage, message: ClientMessage, meta: ReadonlyMap<string, string> | undefined): Promise<void> {
    const { name } = message.params;
    const cursor = typeof name === 'string' ? this.#server.cursorFor(name) : undefined;
    const list = this.#lists.get(cursor) ?? new MirroredTools(this.#server, cursor);
    this.#lists.set(cursor, list);
    return list.check(req, message, meta);
  }
}

/** The tools of one list, and the parameters that are repeated in headers. */
class MirroredTools {
  readonly #server: RequestTarget;
  readonly #start: string | undefined;
  #tools = new MirroringTools();
  #isRead = false;
  #freshUntil = Number.NEGATIVE_INFINITY;
  #retryMs = RETRY_MS;
  #reading: Promise<void> | undefined;

  constructor(server: RequestTarget, start: string | undefined) {
    this.#server = server;
    this.#start = start;
  }

  async check(
    req: IncomingMessage,
    message: ClientMessage,
    meta: ReadonlyMap<string, string> | undefined,
  ): Promise<void> {
    if (performance.now() > this.#freshUntil) {
      const reading = this.#read(meta);
      // If this fails, the next call reads the list again.
      if (this.#isRead) reading.catch(() => undefined);
      else await reading;
    }
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
    this.#reading ??= readTools(this.#server, this.#start, meta, this.#tools)
      .then(({ tools, hasFailed }) => {
        this.#tools = tools;
        this.#isRead ||= !hasFailed;
        this.#freshUntil = performance.now() + (hasFailed ? this.#retryMs : FRESH_MS);
        this.#retryMs = hasFailed ? Math.min(this.#retryMs * 2, this.#isRead ? FRESH_MS : MAX_UNCHECKED_MS) : RETRY_MS;
      })
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }
}

/**
 * Reads all pages of `tools/list`, up to `MAX_LIST_BYTES`. If the server fails to send one, tools that are missing so far keep what was
 * `known` about them. `hasFailed`: the bridge answered in its place, so it may send the page soon.
 */
async function readTools(
  server: RequestTarget,
  start: string | undefined,
  meta: ReadonlyMap<string, string> | undefined,
  known: MirroringTools,
): Promise<{ readonly tools: MirroringTools; readonly hasFailed: boolean }> {
  const own = [...(meta ?? [])].map(([key, value]) => [key, JSON.parse(value)]);
  const tools = new MirroringTools();
  let cursor: unknown = start;
  let left = MAX_LIST_BYTES;
  for (let page = 0; page < MAX_PAGES; page++) {
    const params = { ...(cursor !== undefined && { cursor }), _meta: Object.fromEntries(own) };
    const { result, reason, length = 0 } = await requestFromServer(server, 'tools/list', params, LIST_MS, left);
    if (!Array.isArray(result?.tools)) {
      tools.addMissing(known);
      return { tools, hasFailed: reason !== undefined };
    }
    left -= length;
    if (!result.tools.every((tool) => tools.add(tool ?? {}))) break;
    cursor = result?.nextCursor;
    if (typeof cursor !== 'string') break;
  }
  return { tools, hasFailed: false };
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
