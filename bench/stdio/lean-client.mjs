import { connect } from 'node:net';

/** One HTTP connection that sends one request at a time and parses no more of the answer than it must. */
export class LeanClient {
  /** Further lines of the request's head, each with its end. */
  headers;
  /** The path that is called. */
  path = '/mcp';
  #port;
  #socket;
  #request;
  #received = '';
  #settle;
  #fail;

  constructor(port, headers = '') {
    this.#port = port;
    this.headers = headers;
  }

  post(body, session = '') {
    const id = session === '' ? '' : `mcp-session-id: ${session}\r\n`;
    this.#received = '';
    this.#request =
      `POST ${this.path} HTTP/1.1\r\nhost: 127.0.0.1:${this.#port}\r\ncontent-type: application/json\r\n` +
      `accept: application/json, text/event-stream\r\n${this.headers}${id}content-length: ${body.length}\r\n\r\n${body}`;
    const answer = new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
    });
    this.#send();
    return answer;
  }

  close() {
    this.#request = undefined;
    this.#socket?.destroy();
  }

  #send() {
    if (!this.#socket?.writable) this.#connect();
    this.#socket.write(this.#request);
  }

  // A server may close an idle connection just when the next request is sent.
  #connect() {
    const socket = connect(this.#port, '127.0.0.1').setNoDelay(true).setEncoding('latin1');
    socket.on('data', (chunk) => this.#onData(chunk));
    socket.on('end', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (this.#request === undefined || this.#socket !== socket) return;
      if (this.#received === '' && socket.bytesRead > 0) this.#send();
      else this.#fail(new Error('the connection was lost'));
    });
    this.#socket = socket;
  }

  #onData(chunk) {
    this.#received += chunk;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#received.slice(0, end))?.[1];
    const complete =
      length === undefined
        ? /^HTTP\/1.1 (?:202|204)/.test(this.#received) || this.#received.endsWith('\r\n0\r\n\r\n')
        : this.#received.length >= end + 4 + Number(length);
    if (!complete) return;
    this.#request = undefined;
    this.#settle(this.#received);
  }
}
export function initialize() {
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'lean', version: '1' } };
  return JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
}
/** Opens a session; returns its id. */
export async function openSession(client) {
  const answer = await client.post(initialize());
  const session = /\r\nmcp-session-id: ([^\r]+)/i.exec(answer)?.[1];
  if (session === undefined) throw new Error(`no session: ${answer.slice(0, 300)}`);
  await client.post('{"jsonrpc":"2.0","method":"notifications/initialized"}', session);
  return session;
}
let id = 0;
export function toolCall() {
  return `{"jsonrpc":"2.0","id":${++id},"method":"tools/call","params":{"name":"echo","arguments":{"message":"hello"}}}`;
}
