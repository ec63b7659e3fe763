import { stringsIn } from '../http/json-object.js';
import { wellKnownPath, withoutClosingSlash } from '../http/well-known.js';
import { PROVIDERS } from '../providers/providers.js';
import { FetchError } from '../upstream/bounded-fetch.js';
import { checkClientIds } from './client-ids.js';
import { checkKnownClients } from './client-problems.js';
import { type Finding, type Fix, reporterFor } from './finding.js';
import { fetchErrorOf, isHttpUrl, isPrivate, type Probe, type ProbeResponse } from './probe.js';
import { NO_REDIRECT, problemOf } from './resource-documents.js';
import { shown } from './shown.js';
import { explainConnection } from './unexpected-answer.js';

type Metadata = Readonly<Record<string, unknown>>;

/** The metadata of an authorization server (RFC 8414, or OpenID Connect Discovery), with findings. */
export interface ServerDocuments {
  readonly findings: readonly Finding[];
  readonly metadata?: Metadata;
  /** The URL of the metadata. */
  readonly url?: string;
}

/**
 * Tries the URLs in the order of clients (MCP specification 2025-11-25, authorization server metadata discovery).
 *
 * @param typedIn How many client ids are known to be there for typing in.
 * @param resource The resource of the server that names it. If it is its own authorization server, that is the OAuth proxy.
 */
export async function readServerDocuments(
  probe: Probe,
  issuer: string,
  typedIn: number | undefined,
  resource?: unknown,
): Promise<ServerDocuments> {
  const found = reporterFor('server metadata');
  if (!isHttpUrl(issuer)) {
    const fault = found.fault(
      `the authorization server is ${JSON.stringify(issuer)}, which is not an http(s) URL`,
      'Clients cannot find its metadata.',
      'Put its URL into resourceMetadata.authorizationServers.',
    );
    return { findings: [fault] };
  }
  const tried: string[] = [];
  let fix: Fix = resource === issuer ? partOfHost(issuer) : NO_METADATA;
  // If the issuer has no path, two of the three are the same.
  for (const url of new Set(PROVIDERS.standard.metadataUrls(new URL(issuer).href))) {
    const answer = await probe(url).catch(fetchErrorOf);
    const problem = problemOf(answer);
    if (problem === undefined) {
      const metadata = (answer as ProbeResponse).json as Metadata;
      const place =
        tried.length === 0 ? '' : `, which clients try after ${tried.length} other${tried.length === 1 ? '' : 's'}`;
      return { findings: [found.ok(url + place), ...checkMetadata(issuer, metadata, typedIn)], metadata, url };
    }
    tried.push(`${url} ${problem}`);
    // Clients try the next URL after a 4xx, and give up after any other failure.
    const isAbsent = !(answer instanceof FetchError) && answer.status >= 400 && answer.status < 500;
    if (isAbsent) continue;
    fix = resource === issuer && !(answer instanceof FetchError) ? `${OTHER_ROOT} ${fixFor(answer)}` : fixFor(answer);
    break;
  }
  return { findings: [found.fault(tried.join('; '), 'No client can log in.', fix)] };
}

const NO_METADATA =
  'Use an authorization server that serves RFC 8414 metadata or OpenID Connect discovery; for one that does not, set provider.';

/** The advice for an OAuth proxy that clients cannot reach: something in front of it passes on only a part of its host. */
function partOfHost(resource: string): Fix {
  const url = `${withoutClosingSlash(resource)}${wellKnownPath('oauth-protected-resource')}`;
  const fix = `If another server has the root of this host, set resourceMetadata.url to ${JSON.stringify(url)}: everything is then below that path.`;
  return {
    code: `Mount protectedResourceMetadata(policy) at the root of the app. ${fix}`,
    file: `Check that requests for these paths reach the gateway. ${fix}`,
  };
}

/** The advice where a server of somebody else answers at the root. */
const OTHER_ROOT =
  'If another server has the root of this host, it must answer with a status from 400 to 499 there, so that clients go on. Otherwise:';

/** The advice for an answer other than "not found". */
function fixFor(answer: ProbeResponse | FetchError): string {
  if (answer instanceof FetchError) return explainConnection(answer).fix;
  if (answer.status >= 300 && answer.status < 400) return NO_REDIRECT;
  return answer.status >= 500 ? 'Check the log of the authorization server.' : NO_METADATA;
}

function checkMetadata(issuer: string, metadata: Metadata, typedIn: number | undefined): Finding[] {
  return [
    checkIssuer(issuer, metadata),
    checkEndpoints(metadata),
    checkCodeFlow(metadata),
    checkPkce(metadata),
    checkIss(metadata),
    ...checkClientIds(metadata, typedIn),
    ...checkKnownClients(issuer, metadata),
  ];
}

function checkIssuer(issuer: string, metadata: Metadata): Finding {
  const report = reporterFor('issuer');
  if (metadata.issuer === issuer) return report.ok(issuer);
  return report.fault(
    `issuer is ${shown(metadata.issuer)}, but the authorization server is ${JSON.stringify(issuer)}`,
    'Clients of MCP 2026-07-28 and of SDK v2 refuse the metadata (RFC 8414, section 3.3).',
    'Write the issuer exactly as its metadata does, closing slash included; if that is not possible, set provider.',
  );
}

function checkEndpoints(metadata: Metadata): Finding {
  const report = reporterFor('endpoints');
  const problems = ['authorization_endpoint', 'token_endpoint'].flatMap((name) => {
    const value = metadata[name];
    return typeof value === 'string' && isPrivate(value) ? [] : [`${name} is ${shown(value)}`];
  });
  if (problems.length === 0) return report.ok('authorization and token endpoint');
  return report.fault(problems.join(', '), 'Clients refuse to send users or codes there.', 'Serve both over https.');
}

function checkCodeFlow(metadata: Metadata): Finding {
  const report = reporterFor('code flow');
  const types = stringsIn(metadata.response_types_supported);
  const grants = metadata.grant_types_supported === undefined ? undefined : stringsIn(metadata.grant_types_supported);
  if (!types.includes('code') || grants?.includes('authorization_code') === false) {
    const seen = `response types ${JSON.stringify(types)}, grant types ${JSON.stringify(grants ?? 'not stated')}`;
    return report.fault(seen, 'Clients cannot log users in.', 'Allow the authorization code flow.');
  }
  return grants !== undefined && !grants.includes('refresh_token')
    ? report.warning('no refresh tokens', 'Users log in again whenever a token expires.', 'Allow refresh_token.')
    : report.ok('authorization code');
}

function checkPkce(metadata: Metadata): Finding {
  const report = reporterFor('PKCE');
  const methods = metadata.code_challenge_methods_supported;
  if (stringsIn(methods).includes('S256')) return report.ok('S256');
  return report.fault(
    `code_challenge_methods_supported is ${shown(methods)}`,
    'Clients must refuse to log in without S256 (MCP specification, authorization).',
    'Make the authorization server announce S256; for Entra ID, which does not, set provider.',
  );
}

function checkIss(metadata: Metadata): Finding {
  const report = reporterFor('iss');
  if (metadata.authorization_response_iss_parameter_supported === true) return report.ok('announced');
  return report.warning(
    'authorization_response_iss_parameter_supported is not true',
    'Clients with several authorization servers cannot tell which one answered (RFC 9207).',
    'Make the authorization server send and announce iss, or set provider.',
  );
}
