import { readKeys } from '../auth/keys/verification-key.js';
import type { Jwks } from '../policy/issuer-options.js';
import type { CallError } from '../upstream/call-server.js';
import { type Finding, reporterFor } from './finding.js';
import { fetchErrorOf, isHttpUrl, type Probe, type ProbeResponse } from './probe.js';
import { problemOf } from './resource-documents.js';

/** A published key set, with its finding. */
export interface PublishedKeys {
  readonly finding: Finding;
  /** Undefined if none of its keys can verify a signature. */
  readonly jwks: Jwks | undefined;
}

/** The advice for a server whose key set cannot be read, while metadata names others. */
export function namedKeySets(urls: readonly string[]): string {
  const [first] = urls;
  return `The metadata of the issuer names ${urls.join(' or ')}: set jwks: { url: ${JSON.stringify(first)} }.`;
}

const NO_TOKEN = 'No signed token of this server can be verified.';

/** The finding for an issuer whose metadata should say where its keys are, and does not. */
export function unknownKeySet(issuer: string, { message }: CallError): Finding {
  return reporterFor('key set').warning(
    `the keys of ${issuer} are not found: ${message}`,
    'Tokens cannot be verified.',
    'Correct the metadata of the issuer, or set jwks: { url: … } to the address of its keys.',
  );
}

/** Only metadata can name such a key set: the URLs of a policy are checked when it is made. */
function notFetchable(uri: string): Finding {
  const seen = `jwks_uri is ${JSON.stringify(uri)}, which is not an http(s) URL`;
  return reporterFor('key set').fault(seen, NO_TOKEN, 'Write the whole URL of the key set into the metadata.');
}

/**
 * Checks the key set (RFC 7517) that verifies the tokens of an authorization server.
 *
 * @param announced The URLs of key sets in the metadata of the authorization servers.
 */
export async function readPublishedKeys(
  probe: Probe,
  url: string,
  announced: readonly string[] = [],
): Promise<PublishedKeys> {
  if (!isHttpUrl(url)) return { finding: notFetchable(url), jwks: undefined };
  const report = reporterFor('key set');
  const answer = await probe(url).catch(fetchErrorOf);
  const problem = problemOf(answer);
  if (problem !== undefined) {
    const others = announced.filter((other) => other !== url);
    const fix =
      others.length > 0
        ? namedKeySets(others)
        : 'Check that the MCP server can read it: the doctor may be on another network.';
    return {
      finding: report.warning(`${url} ${problem}`, 'Tokens cannot be verified with keys from there.', fix),
      jwks: undefined,
    };
  }
  const { keys: published } = (answer as ProbeResponse).json ?? {};
  if (!Array.isArray(published)) {
    const fix = 'Set the URL of a JSON Web Key Set.';
    return { finding: report.fault(`${url} has no list called "keys"`, NO_TOKEN, fix), jwks: undefined };
  }
  const { keys, skipped } = await readKeys(published);
  if (keys.length > 0)
    return {
      finding: report.ok(`${url}: ${keys.length} of ${published.length} keys can be used`),
      jwks: { keys: published },
    };
  const seen =
    published.length === 0 ? 'no key' : `no key that verifies a signature (${skipped.slice(0, 3).join('; ')})`;
  const fix = 'Add a key for signatures (RSA, EC or Ed25519); in authentik, choose a Signing Key in the provider.';
  return { finding: report.fault(`${url} has ${seen}`, NO_TOKEN, fix), jwks: undefined };
}
