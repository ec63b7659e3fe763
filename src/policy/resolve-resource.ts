import type { OptionChecks } from '../options/checks.js';
import { type OptionReader, type OptionTable, optional, readRows } from '../options/option-table.js';
import type { KnownMetadataMembers } from './auth-options.js';

/** A configured resource. Strings only, because an application could change a `URL` object. */
export interface ResourceIdentity {
  /** Byte for byte as configured: `URL.href` would add a slash to a bare origin, and clients compare. */
  readonly href: string;
  readonly origin: string;
  readonly host: string;
  readonly hostname: string;
  readonly pathname: string;
}

export const RESOURCE_FIX = 'Write the address that clients use, for example "https://mcp.example.com/mcp".';

/** Control characters, percent-encoded once or more often. A server that decodes the path could cut it, or split it into lines. */
const ENCODED_CONTROL = /%(?:25)*(?:[01][\da-f]|7f)/i;

const readList: OptionReader<readonly string[] | undefined> = optional((checks, value, option) =>
  checks.strings(value, option, 'Give a list of strings.'),
);

/** The members that are read here. All others are only emitted. */
export const METADATA_TABLE = {
  resource: { read: optional(requireResource) },
  scopesSupported: { read: readList },
  bearerMethodsSupported: { read: readList },
  authorizationServers: { read: readList },
} satisfies OptionTable<KnownMetadataMembers>;

/** Checks `resourceMetadata`: the resource itself, and that every other member can be emitted as JSON. */
export function resolveResource(
  checks: OptionChecks,
  value: unknown,
  path: string,
): { resource: ResourceIdentity | undefined; members: Readonly<Record<string, unknown>> } {
  const given = checks.record(value, path, 'Write { resource: "https://mcp.example.com/mcp", scopesSupported: […] }.');
  const { resource, ...members } = { ...given, ...readRows(checks, METADATA_TABLE, given, path) };
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined) continue;
    const option = `${path}.${name}`;
    if (!/^[a-z][A-Za-z0-9#-]*$/.test(name)) {
      checks.refuse(option, 'a name in camelCase', value, 'Members are emitted in snake_case (RFC 9728, section 2).');
    }
    if (!isJson(value)) {
      checks.refuse(option, 'a JSON value', value, 'Give a string, number, boolean, list or object.');
    }
  }
  return { resource, members };
}

function isJson(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    // A bigint, or a circular object.
    return false;
  }
}

/** RFC 8707, section 2: an absolute URI without a fragment. A query is refused too: it would give one resource two paths. */
export function requireResource(checks: OptionChecks, value: unknown, option: string): ResourceIdentity {
  const fix = RESOURCE_FIX;
  const href = checks.string(value, option, fix);
  const url = URL.canParse(href) ? new URL(href) : undefined;
  const http = url?.protocol === 'https:' || url?.protocol === 'http:';
  const bare = url?.username === '' && url.password === '' && !/[?#]/.test(href);
  if (url === undefined || !http || !bare || /[^\x21-\x7e]/.test(href)) {
    const expected = 'an http(s) URL without user, query or fragment, in ASCII';
    // Not quoted if it may contain a password (before an @) or a key (in a query).
    return /[@?]/.test(href)
      ? checks.refuseUnquoted(option, expected, fix)
      : checks.refuse(option, expected, value, fix);
  }
  if (ENCODED_CONTROL.test(href)) checks.refuse(option, 'a URL without encoded control characters', value, fix);
  const { origin, host, hostname, pathname } = url;
  return Object.freeze({ href, origin, host, hostname, pathname });
}
