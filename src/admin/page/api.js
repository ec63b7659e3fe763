import { parseExactJson } from './exact-json.js';

/** @import { ShownFinding } from '../doctor-runs.js' */
/** @import { ShownTool } from '../tool-client.js' */
/** @import { ShownCallers } from '../seen-callers.js' */
/** @import { Credential, ServerState, SessionState, ToolResult } from './page-types.js' */

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
 * @param {string} path
 * @param {object} [body] Absent: GET.
 * @returns {Promise<any>}
 */
async function ask(path, body) {
  const json = { 'content-type': 'application/json' };
  const request = body === undefined ? {} : { method: 'POST', headers: json, body: JSON.stringify(body) };
  const response = await fetch(`./api/${path}`, { cache: 'no-store', ...request }).catch(() => undefined);
  if (response === undefined) throw new ApiError('The server does not answer.');
  const answer = await response
    .text()
    .then(parseExactJson)
    .catch(() => undefined);
  if (response.ok && answer !== undefined) return answer;
  const said = answer?.error_description ?? answer?.error;
  throw new ApiError(typeof said === 'string' ? said : `The server answered with status ${response.status}.`);
}
