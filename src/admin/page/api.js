import { parseExactJson } from './exact-json.js';

/** @import { ShownFinding } from '../doctor-runs.js' */
/** @import { ShownTool } from '../tool-client.js' */
/** @import { ShownCallers } from '../seen-callers.js' */
/** @import { Credential, ServerState, SessionState, ToolResult } from './page-types.js' */

const EVENT_STREAM = 'text/event-stream';

/** A refusal or failure of the server, or no answer. Its message is for the operator. */
export class ApiError extends Error {}

/** @returns {Promise<ServerState>} */
export function readState() {
  return ask('state');
}

/** @returns {Promise<SessionState[]>} */
export function readSessions() {
  return ask('sessions');
}

/** @returns {Promise<ShownCallers>} */
export function readCallers() {
  return ask('callers');
}

/**
 * @param {string} id
 * @returns {Promise<unknown>}
 */
export function endSession(id) {
  return ask('sessions/end', { id });
}

/**
 * @param {{ user: string, issuer: string } | { client: string, issuer: string }} whose
 * @returns {Promise<{ until: number, untilRestart: boolean }>}
 */
export function revoke(whose) {
  return ask('revoke', whose);
}

/**
 * @param {string} route
 * @returns {Promise<{ findings: ShownFinding[] }>}
 */
export function runDoctor(route) {
  return ask('doctor', { route });
}

/**
 * @param {string} route
 * @param {Credential} credential
 * @returns {Promise<{ tools: ShownTool[] }>}
 */
export function listTools(route, credential) {
  return ask('tools', { route, ...credential });
}

/**
 * @param {string} route
 * @param {Credential} credential
 * @param {string} name
 * @param {Readonly<Record<string, unknown>>} given
 * @returns {Promise<{ result?: ToolResult, error?: unknown }>}
 */
export function callTool(route, credential, name, given) {
  return ask('tools/call', { route, ...credential, name, arguments: given });
}

/**
 * Asks why the server sends no events: the browser does not hand over the answer to an EventSource. Empty if it would send them now.
 *
 * @returns {Promise<string>}
 */
export async function readEventsProblem() {
  const asking = new AbortController();
  try {
    const response = await send('events', { headers: { accept: EVENT_STREAM }, signal: asking.signal });
    const isStream = response.ok && response.headers.get('content-type')?.startsWith(EVENT_STREAM) === true;
    return isStream ? '' : refusalOf(response, await jsonOf(response));
  } catch (error) {
    return error instanceof ApiError ? error.message : String(error);
  } finally {
    asking.abort();
  }
}

/**
 * @param {string} path
 * @param {object} [body] Absent: GET.
 * @returns {Promise<any>}
 */
async function ask(path, body) {
  const json = { 'content-type': 'application/json' };
  const request = body === undefined ? {} : { method: 'POST', headers: json, body: JSON.stringify(body) };
  const response = await send(path, request);
  const answer = await jsonOf(response);
  if (response.ok && answer !== undefined) return answer;
  throw new ApiError(refusalOf(response, answer));
}

/**
 * A redirection is not followed: it leads to a login, often at another origin, which this page may not read.
 *
 * @param {string} path
 * @param {RequestInit} request
 */
async function send(path, request) {
  const response = await fetch(`./api/${path}`, { cache: 'no-store', redirect: 'manual', ...request }).catch(
    () => undefined,
  );
  if (response === undefined) throw new ApiError('The server does not answer.');
  return response;
}

/**
 * @param {Response} response
 * @returns {Promise<any>} Undefined if it is not JSON.
 */
function jsonOf(response) {
  return response
    .text()
    .then(parseExactJson)
    .catch(() => undefined);
}

/**
 * @param {Response} response
 * @param {any} answer
 * @returns {string}
 */
function refusalOf({ type, status }, answer) {
  if (type === 'opaqueredirect') return 'The server sends this page to another address: you may have to log in again.';
  const said = answer?.error_description ?? answer?.error;
  return typeof said === 'string' ? said : `The server answered with status ${status}.`;
}
