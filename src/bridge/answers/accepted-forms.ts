import type { IncomingMessage } from 'node:http';
import Negotiator from 'negotiator';
import { BridgeError } from '../../messages/bridge-error.js';

/** In which of the two forms a client takes an answer. */
export interface AcceptedForms {
  readonly json: boolean;
  readonly stream: boolean;
}

// Both are always UTF-8, so that a client which asks for that charset gets what it asks for.
const JSON_FORM = 'application/json;charset=utf-8';
const STREAM_FORM = 'text/event-stream;charset=utf-8';

/** The forms of answers that the `Accept` header accepts (RFC 9110, section 12.5.1). A client that does not send one accepts everything. */
export function acceptedForms(req: IncomingMessage): AcceptedForms {
  const accepted = new Negotiator(req).mediaTypes([JSON_FORM, STREAM_FORM]);
  return { json: accepted.includes(JSON_FORM), stream: accepted.includes(STREAM_FORM) };
}

/**
 * The same, for a request that must accept at least one: asked before anything is opened or sent, when it can still be refused.
 *
 * @throws {BridgeError}
 */
export function requireAcceptedForms(req: IncomingMessage, id?: string): AcceptedForms {
  const forms = acceptedForms(req);
  if (!forms.json && !forms.stream) throw new BridgeError('not_acceptable', { id });
  return forms;
}
