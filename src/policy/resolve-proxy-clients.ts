import { createHash } from 'node:crypto';
import { isAcceptableRedirectUri } from '../oauth/acceptable-redirect-uri.js';
import type { OptionChecks } from '../options/checks.js';
import { type OptionReader, type OptionTable, readOptions } from '../options/option-table.js';
import { membersOf, recordOf, SECRET, TEXTS } from '../options/value-type.js';
import type { ConfiguredClientOptions } from './oauth-proxy-options.js';
import { MIN_SECRET_LENGTH, SECRET_FIX } from './secrets.js';

/** A client of `oauthProxy.clients`. */
export interface ConfiguredClient {
  readonly redirectUris: readonly string[];
  /** The SHA-256 of its secret; undefined for a public client. */
  readonly secretHash: Buffer | undefined;
}

/** By client id. */
export type ConfiguredClients = ReadonlyMap<string, ConfiguredClient>;

const CLIENT_FIX = 'Write { "my-id": { redirectUris: ["https://client.example/callback"] } }.';

export const PROXY_CLIENT_TABLE = {
  redirectUris: { type: TEXTS, read: requireRedirectUris },
  secret: { type: SECRET, read: hashSecret },
} satisfies OptionTable<ConfiguredClientOptions>;

const read: OptionReader<ConfiguredClients> = (checks, given, option) =>
  new Map(
    Object.entries(checks.recordWithSecret(given, option, CLIENT_FIX)).map(([id, client]) => {
      const path = `${option}.${requireClientId(checks, id, option)}`;
      const members = checks.recordWithSecret(
        client,
        path,
        'Write { redirectUris: ["https://client.example/callback"] }.',
      );
      const { redirectUris, secret } = readOptions(checks, PROXY_CLIENT_TABLE, members, path);
      return [id, Object.freeze({ redirectUris, secretHash: secret })];
    }),
  );

/** The row of the option `oauthProxy.clients`. */
export const PROXY_CLIENTS_ROW = {
  default: {},
  type: recordOf(membersOf('oauthProxy client', PROXY_CLIENT_TABLE)),
  read,
};

/** The SHA-256 of a client's secret. Comparing hashes in constant time does not tell the length of the secret either. */
export function hashOfSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** RFC 6749, appendix A.1: printable ASCII. */
function requireClientId(checks: OptionChecks, id: string, option: string): string {
  if (!/^[\x20-\x7e]{1,200}$/.test(id)) {
    const expected = 'given by client ids of 1 to 200 printable ASCII characters';
    return checks.refuse(option, expected, id, 'Choose another id.');
  }
  if (!/^https?:\/\//i.test(id)) return id;
  const fix = 'List the URL in oauthProxy.clientDocuments.allow: its document names the redirect URIs.';
  return checks.refuse(option, 'given by client ids that are no URLs', id, fix);
}

function requireRedirectUris(checks: OptionChecks, given: unknown, option: string): readonly string[] {
  const fix = 'Write the redirect URIs that the client shows or documents, such as "https://client.example/callback".';
  const uris = checks.strings(given, option, fix);
  if (uris.length === 0) return checks.refuse(option, 'a list of at least one redirect URI', given, fix);
  // Compared exactly: a client with `https://host/*` could never log in.
  const bad = uris.findIndex((uri) => !isAcceptableRedirectUri(uri) || uri.includes('*'));
  if (bad === -1) return uris;
  const expected =
    'a whole https URI, one of http on loopback, or one of a private-use scheme, without fragment and "*"';
  return checks.refuse(`${option}[${bad}]`, expected, uris[bad], fix);
}

function hashSecret(checks: OptionChecks, given: unknown, option: string): Buffer | undefined {
  if (given === undefined) return undefined;
  return hashOfSecret(checks.secret(given, option, MIN_SECRET_LENGTH, SECRET_FIX));
}
