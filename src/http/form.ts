import type { IncomingMessage } from 'node:http';
import { readBody, requireMediaType } from './body.js';

/** The parameters of a query or a form; a `Map`, since a stranger chose their names. */
export type Parameters = ReadonlyMap<string, string>;

const FORM = 'application/x-www-form-urlencoded';

/**
 * Undefined where a parameter comes more than once (RFC 6749, section 3.1): parsers differ in which one counts. One without a
 * value is left out, as if it had not been sent (the same section).
 */
export function parseForm(text: string): Parameters | undefined {
  const given = [...new URLSearchParams(text)];
  return new Set(given.map(([name]) => name)).size === given.length ? withValues(given) : undefined;
}

function withValues(given: readonly [name: string, value: string][]): Parameters {
  return new Map(given.filter(([, value]) => value !== ''));
}

/**
 * The request's form, whether or not a body parser ran before.
 *
 * @throws {BodyError}
 */
export async function readForm(req: IncomingMessage, maxBytes: number): Promise<Parameters | undefined> {
  // First of all: a parser of JSON leaves an object as well, whose members could be told from parameters no more.
  requireMediaType(req.headers, FORM);
  const { body } = req as { body?: unknown };
  if (req.readableEnded && typeof body === 'object' && body !== null && !Buffer.isBuffer(body)) return fromParsed(body);
  return parseForm((await readBody(req, maxBytes, FORM)).toString('utf8'));
}

/** Parsers make lists and objects of parameters that come twice, or have brackets in their names. */
function fromParsed(body: object): Parameters | undefined {
  const entries = Object.entries(body);
  return entries.every(([, value]) => typeof value === 'string') ? withValues(entries) : undefined;
}
