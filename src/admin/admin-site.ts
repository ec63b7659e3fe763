import type { IncomingMessage, ServerResponse } from 'node:http';
import { basename } from 'node:path/posix';
import { isAnswered } from '../http/answered.js';
import { readBody, requireMediaType } from '../http/body.js';
import { parseJsonObject } from '../http/json-object.js';
import { replyEmpty, replyJson, replyMethodNotAllowed } from '../http/reply.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import { AdminError, isUnexpected, replyAdminError } from './admin-error.js';
import type { AdminSource } from './admin-source.js';
import { createDoctorRuns } from './doctor-runs.js';
import { readErrorHelp } from './error-help.js';
import { findRoute } from './find-route.js';
import { JsonText } from './json-text.js';
import { LiveEvents } from './live-events.js';
import { packageVersion } from './package-version.js';
import { buildState } from './page-state.js';
import { revokeTokens } from './revoke-tokens.js';
import { refuseOtherSites, requireSameOrigin } from './same-origin.js';
import { createHandles, endSessionOf, listSessions } from './session-list.js';
import { readStaticFiles, sendStaticFile } from './static-files.js';
import { createToolRequests, type ToolRequest } from './tool-requests.js';

/** The page for operators and its API. */
export interface AdminSite {
  /**
   * Answers one request. The caller checks first that an operator sent it.
   *
   * @param path The path below the address of the page, with its slash. Empty if the request is for that address without the slash.
   */
  handle(req: IncomingMessage, res: ServerResponse, path: string): Promise<void>;
  /** Asks the page of this event stream to open another one. Does nothing with another answer. */
  askToReconnect(res: ServerResponse): void;
  /** Ends the connections of pages, and stops listening for calls and decisions. */
  close(): void;
}

type Query = (res: ServerResponse) => unknown;
type Action = (request: ToolRequest) => unknown;

/** The path of the event stream, which has no end that HEAD could describe. */
const EVENTS = '/api/events';
/** Bytes of the body of a POST. */
const MAX_BODY_BYTES = 1_048_576;

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'content-security-policy': CSP,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
});

/**
 * Creates the page. It listens for calls and decisions from now on.
 *
 * @param report Gets a line about each request that fails because of a fault of this package.
 */
export function createAdminSite(source: AdminSource, report: (line: string) => void): AdminSite {
  const files = readStaticFiles();
  const about = { version: packageVersion(), startedAt: Date.now() };
  const handleOf = createHandles();
  const events = new LiveEvents({ help: readErrorHelp(), handleOf, load: () => loadOf(source), report });
  const tools = createToolRequests(source);
  const runDoctor = createDoctorRuns();
  const queries = new Map<string, Query>([
    ['/api/state', () => buildState(source, about)],
    ['/api/sessions', () => listSessions(source.routes(), handleOf)],
    ['/api/callers', () => events.callers],
    [EVENTS, (res) => events.connect(res)],
  ]);
  const actions = new Map<string, Action>([
    ['/api/sessions/end', ({ body }) => endOne(source, handleOf, body.id)],
    ['/api/revoke', ({ body }) => revokeTokens(source.routes(), body)],
    ['/api/doctor', ({ body }) => runDoctor(findRoute(source.routes(), body.route))],
    ['/api/tools', tools.list],
    ['/api/tools/call', tools.call],
  ]);

  async function answer(req: IncomingMessage, res: ServerResponse, path: string): Promise<void> {
    const action = actions.get(path);
    if (action !== undefined) return act(req, res, action);
    const methods = path === EVENTS ? ['GET'] : ['GET', 'HEAD'];
    if (!methods.includes(req.method ?? '')) return replyMethodNotAllowed(res, methods);
    const query = queries.get(path);
    if (query !== undefined) {
      refuseOtherSites(req);
      const value = await query(res);
      if (value !== undefined) replyJson(res, 200, JSON.stringify(value));
      return;
    }
    const file = files.get(path === '/' ? 'index.html' : path.slice(1));
    if (path === '') redirectToPage(req, res);
    else if (file === undefined) throw new AdminError(404, 'not_found', 'The admin page has nothing at this address');
    else sendStaticFile(res, file);
  }

  return {
    async handle(req, res, path) {
      for (const [name, value] of Object.entries(HEADERS)) res.setHeader(name, value);
      try {
        await answer(req, res, path);
      } catch (error) {
        if (isUnexpected(error))
          report(`the admin page failed to answer ${req.method} ${path}: ${(error as Error)?.name}`);
        if (!isAnswered(res)) replyAdminError(res, error);
        // The regular end of an event stream or a file would say that it is complete.
        else if (!res.writableEnded) res.destroy();
      }
    },
    askToReconnect: (res) => events.askToReconnect(res),
    close: () => events.close(),
  };
}

async function act(req: IncomingMessage, res: ServerResponse, action: Action): Promise<void> {
  if (req.method !== 'POST') return replyMethodNotAllowed(res, ['POST']);
  requireSameOrigin(req);
  // Checked even if a parser of the application has read the body: browsers send a form to another origin without asking it.
  requireMediaType(req.headers, 'application/json');
  const bytes = await readBody(req, MAX_BODY_BYTES);
  const body = parseJsonObject(bytes.toString('utf8'));
  if (body === undefined) throw new AdminError(400, 'invalid_body', 'The body must be a JSON object');
  const answer = await action({ req, res, body, bytes });
  replyJson(res, 200, answer instanceof JsonText ? answer.text : JSON.stringify(answer));
}

/** Relative links of the page need the slash. The target is relative too, so that it stays on this host. */
function redirectToPage(req: IncomingMessage, res: ServerResponse): void {
  const last = basename(rawPath(requestTarget(req)));
  replyEmpty(res, 308, { location: `./${last}/` });
}

function endOne(source: AdminSource, handleOf: (id: string) => string, id: unknown): object {
  if (typeof id !== 'string') throw new AdminError(400, 'invalid_body', '"id" must be the id of a session in the list');
  endSessionOf(source.routes(), handleOf, id);
  return { ended: true };
}

function loadOf({ routes }: AdminSource): { readonly sessions: number; readonly pending: number } {
  const all = routes().map((route) => route.stats());
  const sum = (name: 'sessions' | 'pending') => all.reduce((total, stats) => total + stats[name], 0);
  return { sessions: sum('sessions'), pending: sum('pending') };
}
