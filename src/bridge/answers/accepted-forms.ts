import type { IncomingMessage } from 'node:http';
import Negotiator from 'negotiator';
import { BridgeError } from '../../messages/bridge-error.js';

/** The forms of an answer that a client accepts. */
export interface AcceptedForms {
  readonly json: boolean;
  readonly stream: boolean;
}

// Both are always UTF-8, so a client that asks for this charset is served.
const JSON_FORM = 'application/json;charset=utf-8';
const STREAM_FORM = 'text/event-stream;charset=utf-8';

/** The forms of answers that the `Accept` header accepts (RFC 9110, section 12.5.1). A client that does not send one accepts everything. */
export function acceptedForms(req: IncomingMessage): AcceptedForms {
  const accepted = new Negotiator(req).mediaTypes([JSON_FORM, STREAM_FORM]);
  return { json: accepted.includes(JSON_FORM), stream: accepted.includes(STREAM_FORM) };
}

/**
 * Does the same, and refuses a request that accepts neither. Call it before anything is opened or sent.
 *
 * @throws {BridgeError} `not_acceptable`.
 */
export function requireAcceptedForms(req: IncomingMessage, id?: string): AcceptedForms {
  const forms = acceptedForms(req);
  if (!forms.json && !forms.stream) throw new BridgeError('not_acceptable', { id });
  return forms;
}
