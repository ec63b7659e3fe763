import { isRecord } from '../http/json-object.js';
import { LAST_SESSION_REVISION } from '../messages/revision.js';
import { AdminError } from './admin-error.js';
import type { CallAddress } from './admin-source.js';
import { type Message, readRouteAnswer, sendToRoute } from './route-request.js';

/** A tool as the page shows it. */
export interface ShownTool {
  readonly name: string;
  readonly description: unknown;
  readonly inputSchema: unknown;
}

/** Pages of a list of tools. A server whose list never ends must not block the admin page. */
const MAX_PAGES = 50;
/** Characters of all pages together, as JSON. */
const MAX_LIST_LENGTH = 4_194_304;

const CLIENT = { name: 'express-mcp-auth-admin', version: '1' };

/** An MCP client for one conversation with a route of this process, in a revision with sessions. */
export class ToolClient {
  readonly #address: CallAddress;
  readonly #signal: AbortSignal;
  #headers: Readonly<Record<string, string>>;
  #lastId = 0;

  /** @param token Sent with each request. Undefined for an anonymous caller. */
  constructor(address: CallAddress, token: string | undefined, signal: AbortSignal) {
    const { header, prefix } = address.credential;
    this.#address = address;
    this.#signal = signal;
    this.#headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token !== undefined && { [header]: prefix + token }),
    };
  }

  async open(): Promise<void> {
    const params = { protocolVersion: LAST_SESSION_REVISION, capabilities: {}, clientInfo: CLIENT };
    const { result } = await this.#request('initialize', params, ({ headers }) => {
      const id = headers['mcp-session-id'];
      if (typeof id === 'string') this.#headers = { ...this.#headers, 'mcp-session-id': id };
    });
    const version = isRecord(result) ? result.protocolVersion : undefined;
    if (typeof version !== 'string')
      throw new AdminError(502, 'not_initialized', 'The route did not accept initialize');
    this.#headers = { ...this.#headers, 'mcp-protocol-version': version };
    const response = await this.#post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    response.destroy();
  }

  async listTools(): Promise<readonly ShownTool[]> {
    const tools: ShownTool[] = [];
    let cursor: unknown;
    let length = 0;
    for (let page = 0; page < MAX_PAGES; page++) {
      const { result, error } = await this.#request('tools/list', cursor === undefined ? {} : { cursor });
      if (!isRecord(result))
        throw new AdminError(502, 'no_tools', `The route answered tools/list with an error${messageIn(error)}`);
      const found = (Array.isArray(result.tools) ? result.tools : []).filter(isRecord).map(shownTool);
      length += JSON.stringify(found).length;
      if (length > MAX_LIST_LENGTH) throw new AdminError(502, 'answer_too_long', TOO_LONG);
      for (const tool of found) tools.push(tool);
      cursor = result.nextCursor;
      if (typeof cursor !== 'string') break;
    }
    return tools;
  }

  /** Calls a tool. Resolves to the `result` or the `error` of the answer. */
  async callTool(name: string, args: unknown): Promise<{ readonly result: unknown } | { readonly error: unknown }> {
    const { result, error } = await this.#request('tools/call', { name, arguments: args });
    return error === undefined ? { result } : { error };
  }

  /** Ends the session, if there is one. */
  async close(): Promise<void> {
    if (this.#headers['mcp-session-id'] === undefined) return;
    const { 'content-type': _, ...headers } = this.#headers;
    // Sent even after the time of the request is over. A failure does not matter: an unused session ends by itself.
    const sent = sendToRoute(this.#address, { method: 'DELETE', headers, signal: AbortSignal.timeout(CLOSE_MS) });
    await sent.then(
      (response) => response.destroy(),
      () => undefined,
    );
  }

  async #request(
    method: string,
    params: object,
    onResponse: (response: { readonly headers: NodeJS.Dict<string | string[]> }) => void = () => undefined,
  ): Promise<Message> {
    this.#lastId += 1;
    const id = this.#lastId;
    const response = await this.#post({ jsonrpc: '2.0', id, method, params });
    onResponse(response);
    return await readRouteAnswer(response, id, this.#address.url);
  }

  #post(message: object) {
    const request = {
      method: 'POST',
      headers: this.#headers,
      body: JSON.stringify(message),
      signal: this.#signal,
    } as const;
    return sendToRoute(this.#address, request);
  }
}

const CLOSE_MS = 5_000;

const TOO_LONG = `The tools of the route are longer than ${MAX_LIST_LENGTH} characters`;

function shownTool({ name, description, inputSchema }: Record<string, unknown>): ShownTool {
  return { name: typeof name === 'string' ? name : (JSON.stringify(name) ?? ''), description, inputSchema };
}

function messageIn(error: unknown): string {
  const message = isRecord(error) ? error.message : undefined;
  return typeof message === 'string' ? `: ${message}` : '';
}
