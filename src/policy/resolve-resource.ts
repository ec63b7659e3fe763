import { canParseUrl } from '../http/can-parse-url.js';
import { createTenantPaths, forTenant, TENANT, type TenantPaths } from '../oauth/tenant-paths.js';
import type { OptionChecks } from '../options/checks.js';
import { type OptionReader, type OptionTable, optional, readRows } from '../options/option-table.js';
import { ANY, membersOf, TEXT, TEXTS } from '../options/value-type.js';
import type { KnownMetadataMembers } from './auth-options.js';

/** A configured resource. Strings only, because an application could change a `URL` object. */
export interface ResourceIdentity {
  /** Byte for byte as configured: `URL.href` would add a slash to a bare origin, and clients compare. */
  readonly href: string;
  readonly origin: string;
  readonly host: string;
  readonly hostname: string;
  readonly pathname: string;
  /** Present if the resource has `{tenant}` in its path. Then `href` and `pathname` have it too. */
  readonly tenants?: TenantPaths;
  /** Present in the resource of one tenant. */
  readonly tenant?: string;
}

/** Returns the resource of one tenant. */
export function resourceOfTenant(
  { tenants: _tenants, ...resource }: ResourceIdentity,
  tenant: string,
): ResourceIdentity {
  return {
    ...resource,
    href: forTenant(resource.href, tenant),
    pathname: forTenant(resource.pathname, tenant),
    tenant,
  };
}

/** Returns the resource that a request asks for: the configured one, or that of the tenant in the path; undefined if the path has none. */
export function resourceAt(resource: ResourceIdentity | undefined, path: string): ResourceIdentity | undefined {
  if (resource?.tenants === undefined) return resource;
  const tenant = resource.tenants.tenantAt(path);
  return tenant === undefined ? undefined : resourceOfTenant(resource, tenant);
}

export const RESOURCE_FIX = 'Write the address that clients use, for example "https://mcp.example.com/mcp".';

/** Control characters, percent-encoded once or more often. A server that decodes the path could cut it, or split it into lines. */
const ENCODED_CONTROL = /%(?:25)*(?:[01][\da-f]|7f)/i;

const readList: OptionReader<readonly string[] | undefined> = optional((checks, value, option) =>
  checks.strings(value, option, 'Give a list of strings.'),
);

/** The members that are read here. All others are only emitted. */
export const METADATA_TABLE = {
  resource: { type: TEXT, read: optional(requireResource) },
  url: { type: TEXT, read: optional(requireMetadataUrl) },
  scopesSupported: { type: TEXTS, read: readList },
  bearerMethodsSupported: { type: TEXTS, read: readList },
  authorizationServers: { type: TEXTS, read: readList },
} satisfies OptionTable<KnownMetadataMembers>;

const MEMBER_NAME = /^[a-z][A-Za-z0-9#-]*$/;

export const METADATA_TYPE = membersOf('resourceMetadata', METADATA_TABLE, { pattern: MEMBER_NAME, type: ANY });

/** Checks `resourceMetadata`: the resource itself, and that every other member can be emitted as JSON. */
export function resolveResource(
  checks: OptionChecks,
  value: unknown,
  path: string,
): { resource: ResourceIdentity | undefined; url: string | undefined; members: Readonly<Record<string, unknown>> } {
  const given = checks.record(value, path, 'Write { resource: "https://mcp.example.com/mcp", scopesSupported: […] }.');
  const { resource, url, ...members } = { ...given, ...readRows(checks, METADATA_TABLE, given, path) };
  if (url !== undefined) refuseOtherTenantUrl(checks, resource, url, `${path}.url`);
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined) continue;
    const option = `${path}.${name}`;
    if (!MEMBER_NAME.test(name)) {
      checks.refuse(option, 'a name in camelCase', value, 'Members are emitted in snake_case (RFC 9728, section 2).');
    }
    if (!isJson(value)) {
      checks.refuse(option, 'a JSON value', value, 'Give a string, number, boolean, list or object.');
    }
  }
  return { resource, url, members };
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
  const url = canParseUrl(href) ? new URL(href) : undefined;
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
  refuseOtherPlaceholders(checks, href, option);
  if (!href.includes(TENANT)) return Object.freeze({ href, origin, host, hostname, pathname });
  const path = requireTenantPath(checks, href, option);
  return Object.freeze({ href, origin, host, hostname, pathname: path, tenants: createTenantPaths(path) });
}

/** Refuses `{id}` and Express's `:tenant`: clients would get them literally, and no token would fit. */
function refuseOtherPlaceholders(checks: OptionChecks, href: string, option: string): void {
  const other = /\/:[a-z]\w*(?=\/|$)|\{(?!tenant\})[^{}/]*\}/i.exec(href)?.[0].replace('/', '');
  if (other !== undefined)
    checks.refuse(option, `without ${other}`, href, 'Write {tenant} for the part that differs from tenant to tenant.');
}

/** Returns the path of a resource with `{tenant}` in it. A URL object would encode the braces. */
function requireTenantPath(checks: OptionChecks, href: string, option: string): string {
  const path = /^https?:\/\/[^/{}]+((?:\/[^/{}]+)*\/\{tenant\}(?:\/[^/{}]+)*\/?)$/i.exec(href)?.[1];
  const expected = 'a URL with {tenant} once, as a whole segment of its path';
  return path ?? checks.refuse(option, expected, href, 'Write "https://mcp.example.com/{tenant}/mcp".');
}

/** A challenge names the document of one tenant, or of the only resource. */
function refuseOtherTenantUrl(
  checks: OptionChecks,
  resource: ResourceIdentity | undefined,
  url: string,
  option: string,
): void {
  const count = url.split(TENANT).length - 1;
  if (resource?.tenants === undefined) {
    if (count > 0)
      checks.refuse(option, 'without {tenant} where the resource has none', url, 'Write the whole address.');
  } else if (count !== 1) {
    checks.refuse(
      option,
      'a URL with {tenant} once where the resource has it',
      url,
      'Write {tenant} in its place in the path.',
    );
  }
}

/** An absolute URL without a fragment. It may have a query: clients fetch it as it is. */
function requireMetadataUrl(checks: OptionChecks, value: unknown, option: string): string {
  const fix = 'Write the address at which clients reach the document, or leave it out.';
  const text = checks.string(value, option, fix);
  const url = canParseUrl(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (isHttp && url.username === '' && url.password === '' && /^[\x21-\x7e]+$/.test(text) && !/[#"\\]/.test(text))
    return text;
  const expected = 'an http(s) URL without user or fragment, in ASCII';
  return text.includes('@')
    ? checks.refuseUnquoted(option, expected, fix)
    : checks.refuse(option, expected, value, fix);
}
