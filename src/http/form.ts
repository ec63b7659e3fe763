import type { IncomingMessage } from 'node:http';
import { readBody, requireMediaType } from './body.js';

/** The parameters of a query or a form. A `Map`, since callers choose the names, such as `__proto__`. */
export type Parameters = ReadonlyMap<string, string>;

const FORM = 'application/x-www-form-urlencoded';

/**
 * Parses a query or a form. Undefined if a parameter is repeated (RFC 6749, section 3.1): parsers differ in which one counts. Omits
 * parameters without a value, as if they had not been sent (the same section).
 */
export function parseForm(text: string): Parameters | undefined {
  const given = [...new URLSearchParams(text)];
  return new Set(given.map(([name]) => name)).size === given.length ? withValues(given) : undefined;
}

function withValues(given: readonly [name: string, value: string][]): Parameters {
  return new Map(given.filter(([, value]) => value !== ''));
}

/**
 * Reads the form in a request's body, even if a body parser ran before. Undefined if a parameter is repeated.
 *
 * @throws {BodyError}
 */
export async function readForm(req: IncomingMessage, maxBytes: number): Promise<Parameters | undefined> {
  // Checked first: a JSON parser also leaves an object in `req.body`, which would look like a form's parameters.
  requireMediaType(req.headers, FORM);
  const { body } = req as { body?: unknown };
  if (req.readableEnded && typeof body === 'object' && body !== null && !Buffer.isBuffer(body)) return fromParsed(body);
  return parseForm((await readBody(req, maxBytes, FORM)).toString('utf8'));
}

/** Undefined if a value is not a string: parsers turn repeated parameters, and names with brackets, into lists and objects. */
function fromParsed(body: object): Parameters | undefined {
  const entries = Object.entries(body);
  return entries.every(([, value]) => typeof value === 'string') ? withValues(entries) : undefined;
}
