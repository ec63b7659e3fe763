import { lowerAscii } from '../http/lower-ascii.js';
import { isPlain, type OptionChecks } from '../options/checks.js';
import { ANY_TEXT, membersOf, TEXT } from '../options/value-type.js';

/** The header that carries the access token, in place of `Authorization: Bearer`. */
export interface ResolvedLocation {
  /** In lower case. */
  readonly header: string;
  /** The text before the token; may be empty. */
  readonly prefix: string;
}

const BEARER: ResolvedLocation = Object.freeze({ header: 'authorization', prefix: 'Bearer ' });

/** Returns the header in which a policy reads tokens. */
export function tokenPlaceOf(
  policy: { readonly authorizationLocation: ResolvedLocation | undefined } | undefined,
): ResolvedLocation {
  return policy?.authorizationLocation ?? BEARER;
}

const HEADER = {
  name: { type: TEXT, isRequired: true },
  prefix: { type: ANY_TEXT, otherwise: '`Bearer ` for `Authorization`, nothing for others' },
} as const;
const LOCATION = { header: { type: membersOf('header of a token', HEADER), isRequired: true } } as const;
export const LOCATION_TYPE = membersOf('authorizationLocation', LOCATION);

const FIX = 'Write { header: { name: "Cf-Access-Jwt-Assertion" } }.';
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const PREFIX = /^[\x21-\x7e]*(?: [\x21-\x7e]+)* ?$/;

/** Headers with another meaning in HTTP, in MCP or for this package. */
const OTHER_USES =
  /^(?:accept|content-|cookie|connection|dpop$|expect$|forwarded|host$|last-event-id$|mcp-|origin$|te$|transfer-|upgrade|user-agent|via$|x-api-key$|x-forwarded-)/;

/** agentgateway's other places, each with the reason why no token is read there. */
const REFUSED_PLACES: readonly (readonly [name: string, reason: string])[] = [
  ['queryParameter', 'a token in an address ends up in logs and histories (MCP specification, RFC 9700)'],
  ['query', 'a token in an address ends up in logs and histories (MCP specification, RFC 9700)'],
  ['cookie', 'browsers send cookies with requests that other sites make'],
  ['expression', 'a token must have one place that every reader of the policy sees'],
];

/** Reads the option `authorizationLocation`. Undefined for the standard place. */
export function resolveLocation(checks: OptionChecks, value: unknown, option: string): ResolvedLocation | undefined {
  if (value === undefined) return undefined;
  const given = checks.record(value, option, FIX);
  for (const [name, reason] of REFUSED_PLACES) {
    if (given[name] !== undefined) checks.refuseUnquoted(`${option}.${name}`, `left out, since ${reason}`, FIX);
  }
  checks.knownKeys(given, option, Object.keys(LOCATION));
  const path = `${option}.header`;
  if (!isPlain(given.header)) return checks.refuse(path, 'an object', given.header, FIX);
  checks.knownKeys(given.header, path, Object.keys(HEADER));
  const header = requireHeader(checks, given.header.name, `${path}.name`);
  const { prefix = header === 'authorization' ? 'Bearer ' : '' } = given.header;
  if (typeof prefix !== 'string' || !PREFIX.test(prefix)) {
    return checks.refuse(`${path}.prefix`, 'text in ASCII, with at most a space at its end', prefix, FIX);
  }
  return header === 'authorization' && prefix === 'Bearer ' ? undefined : Object.freeze({ header, prefix });
}

function requireHeader(checks: OptionChecks, value: unknown, option: string): string {
  const name = checks.string(value, option, FIX);
  if (!HEADER_NAME.test(name)) return checks.refuse(option, 'the name of a header', name, FIX);
  const header = lowerAscii(name);
  if (OTHER_USES.test(header)) return checks.refuse(option, 'a header without another use', name, FIX);
  return header;
}
