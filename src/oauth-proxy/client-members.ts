import { canParseUrl } from '../http/can-parse-url.js';
import { isAcceptableRedirectUri } from '../oauth/acceptable-redirect-uri.js';
import { REGISTRATION_MEMBERS, type RegistrationMember } from '../providers/provider.js';

const MAX_REDIRECT_URIS = 10;
const MAX_NAME_LENGTH = 100;

/** The rule for `redirect_uris`, as the end of a sentence with "must be …". */
export const REDIRECT_URIS = `1 to ${MAX_REDIRECT_URIS} URIs: https, http on loopback, or a private-use scheme, without fragment`;

/** The members of a client's metadata that the upstream server may get, those that have the right form. */
export type ClientMembers = Readonly<Partial<Record<RegistrationMember, unknown>>>;

/** The metadata of a client as it gave it, unchecked. */
export type GivenMetadata = Readonly<Record<string, unknown>>;

const isText = (value: unknown) => typeof value === 'string';
// `new URL()` drops spaces around an address, and tabs and line breaks within.
const isHttpsUrl = (value: unknown) =>
  isText(value) && /^[\x21-\x7e]+$/.test(value) && canParseUrl(value) && new URL(value).protocol === 'https:';

/** The check for each member before it is sent to the upstream server, which shows it to users, in links and images too. */
const MEMBERS: Readonly<Record<RegistrationMember, (value: unknown) => boolean>> = {
  client_name: isText,
  client_uri: isHttpsUrl,
  logo_uri: isHttpsUrl,
  tos_uri: isHttpsUrl,
  policy_uri: isHttpsUrl,
  contacts: (value) => Array.isArray(value) && value.every(isText),
  scope: isText,
  software_id: isText,
  software_version: isText,
};

export function clientMembers(given: GivenMetadata): ClientMembers {
  const members = REGISTRATION_MEMBERS.filter((member) => MEMBERS[member](given[member]));
  return Object.fromEntries(members.map((member) => [member, given[member]]));
}

/** Returns the name that a client gives itself. */
export function clientName({ client_name: name }: GivenMetadata): string | undefined {
  return typeof name === 'string' ? name.slice(0, MAX_NAME_LENGTH) : undefined;
}

/** Returns the redirect URIs of a client; undefined if they do not follow the rule {@link REDIRECT_URIS}. */
export function clientRedirectUris({ redirect_uris: uris }: GivenMetadata): readonly string[] | undefined {
  if (!Array.isArray(uris) || uris.length === 0 || uris.length > MAX_REDIRECT_URIS) return undefined;
  return uris.every((uri) => typeof uri === 'string' && isAcceptableRedirectUri(uri)) ? uris : undefined;
}
