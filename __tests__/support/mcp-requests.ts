export type Headers = Readonly<Record<string, string>>;

export const JSON_HEADERS: Headers = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};

/** POSTs a message as JSON, or a text unchanged. */
export function post(url: string, message: unknown, headers: Headers = {}, signal?: AbortSignal): Promise<Response> {
  const body = typeof message === 'string' ? message : JSON.stringify(message);
  return fetch(url, { method: 'POST', headers: { ...JSON_HEADERS, ...headers }, body, ...(signal && { signal }) });
}

export function initialize(revision = '2025-06-18', id: string | number = 0) {
  const params = { protocolVersion: revision, capabilities: {}, clientInfo: { name: 'test', version: '1' } };
  return { jsonrpc: '2.0', id, method: 'initialize', params };
}

export function call(id: string | number, name: string, args: object = {}, meta?: object) {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args, ...(meta && { _meta: meta }) } };
}

/** Opens a session. Resolves to the headers that every further request needs. */
export async function open(url: string, headers: Headers = {}, revision?: string): Promise<Headers> {
  const response = await post(url, initialize(revision), headers);
  if (response.status !== 200) throw new Error(`initialize was answered ${response.status} ${await response.text()}`);
  await response.text();
  const id = response.headers.get('mcp-session-id');
  if (id === null) throw new Error('no session id');
  return { ...headers, 'mcp-session-id': id };
}

/** Calls a tool and returns the text it answers with. */
export async function callText(
  url: string,
  session: Headers,
  name: string,
  args: object = {},
  meta?: object,
): Promise<string> {
  const response = await post(url, call(`${name}-${++calls}`, name, args, meta), session);
  const { result } = (await response.json()) as { result: { content: [{ text: string }] } };
  return result.content[0].text;
}
let calls = 0;

/** A request of 2026-07-28 with everything that belongs to it. */
export function statelessRequest(
  id: string | number,
  method: string,
  params: Record<string, unknown> = {},
  meta: object = {},
) {
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const whole: Record<string, unknown> = { ...params, _meta: { ...envelope, ...meta } };
  return { jsonrpc: '2.0', id, method, params: whole };
}

/** The headers that belong to it. */
export function statelessHeaders(message: ReturnType<typeof statelessRequest>): Headers {
  const { name = message.params.uri ?? message.params.taskId } = message.params;
  return {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': message.method,
    ...(typeof name === 'string' && { 'mcp-name': name }),
  };
}

export function postStateless(
  url: string,
  message: ReturnType<typeof statelessRequest>,
  headers: Headers = {},
  signal?: AbortSignal,
): Promise<Response> {
  return post(url, message, { ...statelessHeaders(message), ...headers }, signal);
}

export function statelessCall(id: string | number, name: string, args: object = {}, meta: object = {}) {
  return statelessRequest(id, 'tools/call', { name, arguments: args }, meta);
}

/** Calls a tool without a session and returns the text it answers with. */
export async function statelessText(url: string, name: string, args: object = {}, headers: Headers = {}, meta = {}) {
  const response = await postStateless(url, statelessCall(`${name}-${++calls}`, name, args, meta), headers);
  const { result } = (await response.json()) as { result: { content: [{ text: string }] } };
  return result.content[0].text;
}

// fetch() closes the connection of a response that is garbage.
const listening: Response[] = [];

/** Opens the stream of a session, which stays open until the server or the process ends. */
export async function listen(url: string, headers: Headers): Promise<void> {
  listening.push(await fetch(url, { headers: { ...headers, accept: 'text/event-stream' } }));
}
