import type { OptionChecks } from '../options/checks.js';

/** A configured resource. Strings only: a `URL` that an application gets hold of could be changed. */
export interface ResourceIdentity {
  /** Byte for byte as configured: `URL.href` would add a slash to a bare origin, and clients compare. */
  readonly href: string;
  readonly origin: string;
  readonly host: string;
  readonly hostname: string;
  readonly pathname: string;
}

const PATH = 'resourceMetadata';

/** Checks `resourceMetadata`: the resource itself, and that every other member can be emitted as JSON. */
export function resolveResource(
  checks: OptionChecks,
  given: unknown,
): { resource: ResourceIdentity | undefined; members: Readonly<Record<string, unknown>> } {
  const fix = 'Write { resource: "https://mcp.example.com/mcp", scopesSupported: […] }.';
  const { resource, ...members } = given === undefined ? {} : checks.record(given, PATH, fix);
  for (const list of ['scopesSupported', 'bearerMethodsSupported', 'authorizationServers'] as const) {
    if (members[list] !== undefined)
      members[list] = checks.strings(members[list], `${PATH}.${list}`, 'List its values.');
  }
  for (const [name, value] of Object.entries(members)) {
    if (value !== undefined && !/^[a-z][A-Za-z0-9#-]*$/.test(name)) {
      checks.refuse(
        `${PATH}.${name}`,
        'a name in camelCase',
        value,
        'Members are emitted in snake_case (RFC 9728, section 2).',
      );
    }
    if (value !== undefined && !isJson(value)) {
      checks.refuse(`${PATH}.${name}`, 'a JSON value', value, 'Give a string, number, boolean, list or object.');
    }
  }
  return {
    resource: resource === undefined ? undefined : requireResource(checks, resource, `${PATH}.resource`),
    members,
  };
}

function isJson(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    // A bigint, or a circle.
    return false;
  }
}

/** RFC 8707, section 2: an absolute URI without a fragment. A query would make two paths of one resource. */
export function requireResource(checks: OptionChecks, value: unknown, option: string): ResourceIdentity {
  const fix = 'Write the address that clients use, for example "https://mcp.example.com/mcp".';
  const href = checks.string(value, option, fix);
  const url = URL.canParse(href) ? new URL(href) : undefined;
  const http = url?.protocol === 'https:' || url?.protocol === 'http:';
  const bare = url?.username === '' && url.password === '' && !/[?#]/.test(href);
  if (url === undefined || !http || !bare || /[^\x21-\x7e]/.test(href)) {
    const expected = 'an http(s) URL without user, query or fragment, in ASCII';
    // A password stands before an @, and a key in a query.
    return /[@?]/.test(href)
      ? checks.refuseUnquoted(option, expected, fix)
      : checks.refuse(option, expected, value, fix);
  }
  const { origin, host, hostname, pathname } = url;
  return Object.freeze({ href, origin, host, hostname, pathname });
}
