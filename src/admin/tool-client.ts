import { isRecord } from '../http/json-object.js';
import { readElements, readMembers } from '../messages/json-members.js';
import { LAST_SESSION_REVISION } from '../messages/revision.js';
import { AdminError } from './admin-error.js';
import type { CallAddress } from './admin-source.js';
import { JsonText, memberBytes } from './json-text.js';
import { type RouteAnswer, readRouteAnswer, sendToRoute } from './route-request.js';

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
    const params = JSON.stringify({
      protocolVersion: LAST_SESSION_REVISION,
      capabilities: {},
      clientInfo: CLIENT,
    });
    const { message } = await this.#request('initialize', params, ({ headers }) => {
      const id = headers['mcp-session-id'];
      if (typeof id === 'string') this.#headers = { ...this.#headers, 'mcp-session-id': id };
    });
    const version = isRecord(message.result) ? message.result.protocolVersion : undefined;
    if (typeof version !== 'string')
      throw new AdminError(502, 'not_initialized', 'The route did not accept initialize');
    this.#headers = { ...this.#headers, 'mcp-protocol-version': version };
    const response = await this.#post('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    response.destroy();
  }

  /** Resolves to the tools, each a {@link ShownTool} as JSON. */
  async listTools(): Promise<readonly string[]> {
    const tools: string[] = [];
    let cursor: unknown;
    let length = 0;
    for (let page = 0; page < MAX_PAGES; page++) {
      const params = JSON.stringify(cursor === undefined ? {} : { cursor });
      const { message, bytes } = await this.#request('tools/list', params);
      const { result, error } = message;
      if (!isRecord(result))
        throw new AdminError(502, 'no_tools', `The route answered tools/list with an error${messageIn(error)}`);
      for (const tool of toolsIn(bytes)) {
        length += tool.length;
        if (length > MAX_LIST_LENGTH) throw new AdminError(502, 'answer_too_long', TOO_LONG);
        tools.push(tool);
      }
      cursor = result.nextCursor;
      if (typeof cursor !== 'string') break;
    }
    return tools;
  }

  /**
   * Calls a tool. Resolves to `{ result }` or `{ error }`, as the route wrote it.
   *
   * @param args JSON, which is sent as it is.
   */
  async callTool(name: string, args: string): Promise<JsonText> {
    const params = `{"name":${JSON.stringify(name)},"arguments":${args}}`;
    const { message, bytes } = await this.#request('tools/call', params);
    const outcome = message.error === undefined ? 'result' : 'error';
    if (message[outcome] === undefined) return new JsonText('{}');
    const text = memberBytes(bytes, outcome)?.toString('utf8') ?? JSON.stringify(message[outcome]);
    return new JsonText(`{"${outcome}":${text}}`);
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
    params: string,
    onResponse: (response: { readonly headers: NodeJS.Dict<string | string[]> }) => void = () => undefined,
  ): Promise<RouteAnswer> {
    this.#lastId += 1;
    const id = this.#lastId;
    const response = await this.#post(`{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${params}}`);
    onResponse(response);
    return await readRouteAnswer(response, id, this.#address.url);
  }

  #post(body: string) {
    return sendToRoute(this.#address, { method: 'POST', headers: this.#headers, body, signal: this.#signal });
  }
}

const CLOSE_MS = 5_000;

const TOO_LONG = `The tools of the route are longer than ${MAX_LIST_LENGTH} characters`;

function toolsIn(message: Buffer): readonly string[] {
  const list = memberBytes(memberBytes(message, 'result'), 'tools');
  const items = (list && readElements(list)) ?? [];
  return items.map(({ start, end }) => list?.subarray(start, end)).flatMap((tool) => shownTool(tool) ?? []);
}

/** Returns a tool as JSON. Undefined if it is not an object. */
function shownTool(tool: Buffer | undefined): string | undefined {
  if (tool === undefined || readMembers(tool) === undefined) return undefined;
  const textOf = (name: string) => memberBytes(tool, name)?.toString('utf8');
  const name = textOf('name') ?? '""';
  const members = ['description', 'inputSchema'].map((member) => [member, textOf(member)]);
  const written = members.flatMap(([member, text]) => (text === undefined ? [] : [`,"${member}":${text}`]));
  return `{"name":${name.startsWith('"') ? name : JSON.stringify(name)}${written.join('')}}`;
}

function messageIn(error: unknown): string {
  const message = isRecord(error) ? error.message : undefined;
  return typeof message === 'string' ? `: ${message}` : '';
}
