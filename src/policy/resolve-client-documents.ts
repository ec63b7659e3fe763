import { CLIENT_ID_URL, clientIdUrl } from '../oauth/client-id-url.js';
import type { OptionChecks } from '../options/checks.js';
import { flag, type OptionTable, optional, type ResolvedOptions } from '../options/option-table.js';
import { TEXTS } from '../options/value-type.js';
import type { ClientDocumentsOptions } from './client-documents-options.js';

export const CLIENT_DOCUMENTS_TABLE = {
  enabled: flag(true),
  allow: { type: TEXTS, read: optional(requireClientIds) },
  skipConsent: { default: [], type: TEXTS, read: readClientIds },
} satisfies OptionTable<ClientDocumentsOptions>;

/** The resolved option `clientDocuments`. Without `allow`, every document on the internet is fetched. */
export type ResolvedClientDocuments = ResolvedOptions<typeof CLIENT_DOCUMENTS_TABLE>;

const FIX = 'Write whole client ids, or "https://host/*".';

function requireClientIds(checks: OptionChecks, given: unknown, option: string): readonly string[] {
  const list = readClientIds(checks, given, option);
  const fix = 'Set clientDocuments.enabled to false to fetch no documents.';
  return list.length > 0 ? list : checks.refuse(option, 'a list that is not empty', given, fix);
}

function readClientIds(checks: OptionChecks, given: unknown, option: string): readonly string[] {
  const list = checks.strings(given, option, FIX);
  // No `*` elsewhere: a prefix of a path could be left again, and a prefix of a host is another host.
  const examples = list.map((pattern) => pattern.replace(/^(https:\/\/[^/?*]+\/)\*$/, '$1x'));
  if (examples.every((example) => !example.includes('*') && clientIdUrl(example) !== undefined)) return list;
  return checks.refuse(option, `an array in which each is ${CLIENT_ID_URL}, or "https://host/*"`, given, FIX);
}

/** Refuses clients of `skipConsent` that `allow` leaves out: they could never log in. */
export function refuseSkipsNotAllowed(checks: OptionChecks, { allow, skipConsent }: ResolvedClientDocuments): void {
  const left = skipConsent.find((client) => allow?.every((pattern) => !matchesClientId(pattern, client)));
  if (left === undefined) return;
  const expected = 'a list of clients that clientDocuments.allow has, too';
  checks.refuse('oauthProxy.clientDocuments.skipConsent', expected, left, 'Add it to allow, or remove it here.');
}

/** True if a client id, which must have the form of {@link clientIdUrl}, is this one, or on this host: `https://host/*`. */
export function matchesClientId(pattern: string, url: string): boolean {
  return pattern === url || (pattern.endsWith('/*') && url.startsWith(pattern.slice(0, -1)));
}
