import type { IncomingMessage, ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { type McpBackendOptions, mcpBackend, type RemoteTarget } from '../../src/index.js';
import { createRecordingLogger } from './recording-logger.js';
import { type Arrived, startRecordingTarget } from './recording-target.js';
import { serveBackend } from './stdio-bridge.js';

/** Serves one remote server through `mcpBackend()`. */
export async function serveTarget(
  url: string,
  target: Partial<RemoteTarget> = {},
  options: Partial<McpBackendOptions> = {},
) {
  const { lines, logger } = createRecordingLogger();
  const served = await serveBackend(mcpBackend({ targets: { one: { url, ...target } }, logger, ...options }));
  onTestFinished(() => served.stop());
  return { ...served, lines };
}

export type Message = {
  readonly id?: string | number;
  readonly method: string;
  readonly params: Record<string, unknown>;
};

/** Answers one request of a session. */
export type AnswerCall = (message: Message, res: ServerResponse, req: IncomingMessage, arrived: Arrived) => void;

/** A remote server with sessions that answers `ping`, and calls as `answer` says. GET gets 405, unless `stream` answers it. */
export async function startSessionTarget(answer: AnswerCall, stream?: (res: ServerResponse, arrived: Arrived) => void) {
  let sessions = 0;
  return startRecordingTarget((arrived, res, req) => {
    const { method, body } = arrived;
    if (method === 'GET' && stream !== undefined) stream(res, arrived);
    else if (method === 'GET') res.writeHead(405).end();
    else if (method !== 'POST') res.writeHead(200).end();
    else {
      const message = JSON.parse(body) as Message;
      if (message.id === undefined || message.method === undefined) res.writeHead(202).end();
      else if (message.method === 'ping') replyJson(res, message.id, {});
      else if (message.method !== 'initialize') answer(message, res, req, arrived);
      else {
        res.setHeader('mcp-session-id', `session-${++sessions}`);
        const { protocolVersion } = message.params;
        replyJson(res, message.id, { protocolVersion, capabilities: {}, serverInfo: { name: 'target', version: '1' } });
      }
    }
  });
}

export function replyJson(res: ServerResponse, id: unknown, result: unknown): void {
  res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, result }));
}

/** Begins an event stream with `text`, as it is. */
export function beginEvents(res: ServerResponse, text = ''): ServerResponse {
  res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  res.write(text);
  return res;
}

/** One event with a response. */
export const answerEvent = (id: unknown, result: unknown = {}) =>
  `data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`;
