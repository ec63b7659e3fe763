import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { listen, originOf, stop } from './loopback-server.js';

/** A request as it came to a remote server. */
export interface Arrived {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

/** A remote server that keeps what comes to it. */
export interface RecordingTarget {
  readonly url: string;
  readonly server: Server;
  /** Complete requests. */
  readonly arrived: Arrived[];
  /** The number of connections that were made to it. */
  readonly connections: number;
  /** Everything that was ever written to it, byte for byte. */
  readonly bytes: () => string;
}

type Answer = (arrived: Arrived, res: ServerResponse, req: IncomingMessage) => void;

/** A remote server that answers each complete request as `answer` says. */
export function startRecordingTarget(answer: Answer = answerMcp()): Promise<RecordingTarget> {
  const arrived: Arrived[] = [];
  return startTarget((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const { method = '', url = '', headers, rawHeaders } = req;
      const one = { method, url, headers, rawHeaders, body: Buffer.concat(chunks).toString('utf8') };
      arrived.push(one);
      answer(one, res, req);
    });
  }, arrived);
}

/** A remote server that answers each request as soon as its headers are there. */
export async function startTarget(listener: RequestListener, arrived: Arrived[] = []): Promise<RecordingTarget> {
  const server = createServer(listener);
  let connections = 0;
  const written: Buffer[] = [];
  server.on('connection', (socket) => {
    connections++;
    socket.on('data', (chunk: Buffer) => written.push(chunk));
  });
  await listen(server);
  onTestFinished(() => stop(server));
  return {
    url: `${originOf(server)}/mcp`,
    server,
    arrived,
    get connections() {
      return connections;
    },
    bytes: () => Buffer.concat(written).toString('latin1'),
  };
}

/** A minimal MCP server: sessions that end, a tool that repeats its arguments, and a stream that says hello. */
export function answerMcp(): Answer {
  let sessions = 0;
  return ({ method, headers, body }, res) => {
    const session = headers['mcp-session-id'] ?? `session-${++sessions}`;
    if (method === 'GET') {
      res.writeHead(200, { 'content-type': 'text/event-stream', 'mcp-session-id': session });
      res.write(`id: 1\ndata: ${JSON.stringify({ jsonrpc: '2.0', method: 'hello', params: { session } })}\n\n`);
      return;
    }
    if (method === 'DELETE') {
      res.writeHead(200).end();
      return;
    }
    const { id, method: name, params } = JSON.parse(body) as { id?: number; method: string; params: object };
    if (id === undefined) {
      res.writeHead(202).end();
      return;
    }
    const result = name === 'initialize' ? { protocolVersion: '2025-06-18', capabilities: {} } : { params, session };
    res.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': session });
    res.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
  };
}
