import type { IncomingMessage, ServerResponse } from 'node:http';
import { hasHungUp, onceClosed } from '../http/hang-up.js';
import { isRecord } from '../http/json-object.js';
import { isToken68 } from '../oauth/credentials.js';
import { AdminError } from './admin-error.js';
import type { AdminRoute, AdminSource } from './admin-source.js';
import { findRoute } from './find-route.js';
import { JsonText, mayBeRounded, memberBytes } from './json-text.js';
import { ToolClient } from './tool-client.js';

/** The request of the page. */
export interface ToolRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly body: Readonly<Record<string, unknown>>;
  /** The body as it was sent. */
  readonly bytes: Buffer;
}

/** Milliseconds for everything that one request of the page causes. */
const MAX_MS = 60_000;
/** Requests of pages that list or call tools at once. */
const MAX_AT_ONCE = 10;

/** Creates the functions that list and call tools of a route. Tokens are used for one request of the page, and are neither stored nor logged. */
export function createToolRequests({ routes }: AdminSource) {
  let running = 0;

  async function withClient<T>(request: ToolRequest, use: (client: ToolClient) => Promise<T>): Promise<T> {
    const route = findRoute(routes(), request.body.route);
    const address = route.callAddress?.(request.req);
    if (address === undefined)
      throw new AdminError(
        409,
        'not_callable',
        'The admin page cannot call the tools of this route: its port is closed, or requests need more than a path and a host, such as a client certificate or the name of a tenant',
      );
    // Before the count, which a refused token must not change.
    const token = await tokenFor(route, request.body);
    if (running >= MAX_AT_ONCE)
      throw new AdminError(
        429,
        'too_many_calls',
        `Admin pages call ${MAX_AT_ONCE} tools at once already: try again when one has answered`,
      );
    running += 1;
    const signal = signalFor(request.res);
    const client = new ToolClient(address, token, signal);
    try {
      await client.open();
      return await use(client);
    } catch (error) {
      throw error instanceof AdminError ? error : unreachable(error, signal);
    } finally {
      running -= 1;
      await client.close();
    }
  }

  return {
    list: (request: ToolRequest) =>
      withClient(request, async (client) => new JsonText(`{"tools":[${(await client.listTools()).join()}]}`)),
    call(request: ToolRequest) {
      const { name, arguments: args = {} } = request.body;
      if (typeof name !== 'string') throw new AdminError(400, 'invalid_body', '"name" must be the name of a tool');
      if (!isRecord(args)) throw new AdminError(400, 'invalid_body', '"arguments" must be an object');
      const text = memberBytes(request.bytes, 'arguments')?.toString('utf8') ?? '{}';
      if (mayBeRounded(parsedBody(request.req)?.arguments)) throw new AdminError(400, 'invalid_body', ROUNDED);
      return withClient(request, (client) => client.callTool(name, text));
    },
  };
}

const ROUNDED =
  'A number in "arguments" cannot be sent exactly: a body parser of the application runs before the page, and rounds it';

/** Returns the object that a body parser of the application has left in place of the bytes. */
function parsedBody(req: IncomingMessage): Readonly<Record<string, unknown>> | undefined {
  const { body } = req as { readonly body?: unknown };
  return isRecord(body) && !Buffer.isBuffer(body) ? body : undefined;
}

async function tokenFor(
  { developmentToken }: AdminRoute,
  { token, developmentToken: wanted }: ToolRequest['body'],
): Promise<string | undefined> {
  if (wanted === true) {
    if (developmentToken !== undefined) return await developmentToken();
    throw new AdminError(
      409,
      'no_development_issuer',
      'No development issuer makes tokens for this route: start the command with --dev-issuer',
    );
  }
  if (token === undefined || token === '') return undefined;
  if (typeof token === 'string' && isToken68(token)) return token;
  throw new AdminError(400, 'invalid_body', '"token" must be a token alone, without "Bearer" and without white space');
}

/** Returns a signal that aborts after `MAX_MS`, or when the page disconnects. */
function signalFor(res: ServerResponse): AbortSignal {
  const closed = new AbortController();
  if (hasHungUp(res)) closed.abort();
  else onceClosed(res, () => closed.abort());
  return AbortSignal.any([AbortSignal.timeout(MAX_MS), closed.signal]);
}

function unreachable(error: unknown, { aborted }: AbortSignal): AdminError {
  const { code } = error as { readonly code?: string };
  // The error of an answer that has begun does not say why it ends.
  if (aborted) return new AdminError(504, 'timed_out', `The route did not answer within ${MAX_MS / 1_000} seconds`);
  return new AdminError(
    502,
    'unreachable',
    `The route cannot be reached from here${code === undefined ? '' : ` (${code})`}`,
  );
}
