import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { CallVariables } from '../authorization/expressions/call-variables.js';
import { sharedVariablesOf } from '../authorization/request-variables.js';
import { getAuth } from '../index.js';
import { targetNoun } from '../messages/mcp-call.js';

/** Matches the names of headers with credentials. */
const CREDENTIALS = /authorization|cookie|token|secret|password|api-?key|assertion|^dpop$|client-cert/i;

/** The variables of expressions whose values are recorded: without credentials in `request.headers`, and without arguments. */
export function recordedVariablesOf(
  req: IncomingMessage,
  { method, name }: { readonly method: string; readonly name?: string | undefined },
): CallVariables {
  const auth = getAuth(req);
  const noun = name === undefined ? undefined : targetNoun(method);
  const headers = { value: withoutCredentials(req.headers, auth?.token) };
  return {
    ...sharedVariablesOf(Object.create(req, { headers }), auth),
    mcp: noun === undefined ? {} : { [noun]: { name, target: undefined, arguments: undefined } },
  };
}

/** A policy may name any header for the token, so headers with the token are left out too. */
function withoutCredentials(headers: IncomingHttpHeaders, token: string | undefined): IncomingHttpHeaders {
  const isSafe = ([name, value]: [string, unknown]) =>
    !CREDENTIALS.test(name) && (token === undefined || !String(value).includes(token));
  return Object.fromEntries(Object.entries(headers).filter(isSafe));
}
