import type { IncomingMessage } from 'node:http';
import { readBody, requireMediaType } from './body.js';

/** The parameters of a query or a form. A parameter without a value counts as not sent (RFC 6749, section 3.1). */
export interface Parameters {
  get(name: string): string | undefined;
  has(name: string): boolean;
  /** All values of a parameter that may be repeated. */
  getAll(name: string): readonly string[];
}

const FORM = 'application/x-www-form-urlencoded';

/**
 * Parses a query or a form. Undefined if a parameter is repeated (RFC 6749, section 3.1): parsers differ in which one counts.
 *
 * @param repeatable The parameters that may be repeated.
 */
export function parseForm(text: string, repeatable: readonly string[] = []): Parameters | undefined {
  const given = [...new URLSearchParams(text)];
  const single = given.map(([name]) => name).filter((name) => !repeatable.includes(name));
  return new Set(single).size === single.length ? parametersOf(given) : undefined;
}

function parametersOf(given: readonly (readonly [name: string, value: string])[]): Parameters {
  // A `Map`, since callers choose the names, such as `__proto__`.
  const values = new Map<string, string[]>();
  for (const [name, value] of given.filter(([, text]) => text !== '')) {
    const others = values.get(name);
    if (others === undefined) values.set(name, [value]);
    else others.push(value);
  }
  return {
    get: (name) => values.get(name)?.[0],
    has: (name) => values.has(name),
    getAll: (name) => values.get(name) ?? [],
  };
}

/**
 * Reads the form in a request's body, even if a body parser ran before. Undefined if a parameter is repeated.
 *
 * @param repeatable The parameters that may be repeated.
 * @throws {BodyError}
 */
export async function readForm(
  req: IncomingMessage,
  maxBytes: number,
  repeatable: readonly string[] = [],
): Promise<Parameters | undefined> {
  // Checked first: a JSON parser also leaves an object in `req.body`, which would look like a form's parameters.
  requireMediaType(req.headers, FORM);
  const { body } = req as { body?: unknown };
  if (req.readableEnded && typeof body === 'object' && body !== null && !Buffer.isBuffer(body)) {
    return fromParsed(body, repeatable);
  }
  return parseForm((await readBody(req, maxBytes, FORM)).toString('utf8'), repeatable);
}

/** Undefined if a value is not a string: parsers turn repeated parameters, and names with brackets, into lists and objects. */
function fromParsed(body: object, repeatable: readonly string[]): Parameters | undefined {
  const given = Object.entries(body).flatMap(([name, value]: [string, unknown]) =>
    (Array.isArray(value) && repeatable.includes(name) ? value : [value]).map((one: unknown) => [name, one] as const),
  );
  return given.every((entry): entry is readonly [string, string] => typeof entry[1] === 'string')
    ? parametersOf(given)
    : undefined;
}
