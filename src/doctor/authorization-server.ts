import { stringsIn } from '../http/json-object.js';
import { STANDARD } from '../providers/provider.js';
import { FetchError } from '../upstream/bounded-fetch.js';
import { checkKnownClients } from './client-problems.js';
import { type Finding, reporterFor } from './finding.js';
import { fetchErrorOf, isPrivate, type Probe, type ProbeResponse } from './probe.js';
import { problemOf } from './resource-documents.js';
import { explainConnection } from './unexpected-answer.js';

type Metadata = Readonly<Record<string, unknown>>;

/** What an authorization server says of itself (RFC 8414, or OpenID Connect Discovery). */
export interface ServerDocuments {
  readonly findings: readonly Finding[];
  readonly metadata?: Metadata;
  /** Where it was read. */
  readonly url?: string;
}

/** Looks in the order in which clients look (MCP specification 2025-11-25, authorization server metadata discovery). */
export async function readServerDocuments(probe: Probe, issuer: string): Promise<ServerDocuments> {
  const found = reporterFor('server metadata');
  if (!URL.canParse(issuer)) {
    const fault = found.fault(
      `the authorization server is ${JSON.stringify(issuer)}, no URL`,
      'Clients cannot look for its metadata.',
      'Name its URL in resourceMetadata.authorizationServers.',
    );
    return { findings: [fault] };
  }
  const tried: string[] = [];
  let fix = NO_METADATA;
  // If the issuer has no path, two of the three are the same.
  for (const url of new Set(STANDARD.metadataUrls(new URL(issuer).href))) {
    const answer = await probe(url).catch(fetchErrorOf);
    const problem = problemOf(answer);
    if (problem === undefined) {
      const metadata = (answer as ProbeResponse).json as Metadata;
      const place = tried.length === 0 ? '' : `, where clients look after ${tried.length} other`;
      return { findings: [found.ok(url + place), ...judge(issuer, metadata)], metadata, url };
    }
    tried.push(`${url} ${problem}`);
    // Clients go on after "not found", and give up after anything else.
    const isAbsent = !(answer instanceof FetchError) && answer.status >= 400 && answer.status < 500;
    if (isAbsent) continue;
    fix = fixFor(answer);
    break;
  }
  return { findings: [found.fault(tried.join('; '), 'No client can log in.', fix)] };
}

const NO_METADATA =
  'Name an authorization server that serves RFC 8414 or OpenID Connect discovery; for one that does not, set provider.';

/** The advice for an answer other than "not found". */
function fixFor(answer: ProbeResponse | FetchError): string {
  if (answer instanceof FetchError) return explainConnection(answer).fix;
  return answer.status >= 500 ? 'Look into the log of the authorization server.' : NO_METADATA;
}

function judge(issuer: string, metadata: Metadata): Finding[] {
  return [
    judgeIssuer(issuer, metadata),
    judgeEndpoints(metadata),
    judgeCodeFlow(metadata),
    judgePkce(metadata),
    judgeIss(metadata),
    judgeRegistration(metadata),
    ...checkKnownClients(issuer, metadata),
  ];
}

function judgeIssuer(issuer: string, metadata: Metadata): Finding {
  const report = reporterFor('issuer');
  if (metadata.issuer === issuer) return report.ok(issuer);
  return report.fault(
    `issuer is ${JSON.stringify(metadata.issuer)}, the authorization server ${JSON.stringify(issuer)}`,
    'Clients of MCP 2026-07-28 and of SDK v2 refuse the metadata (RFC 8414, section 3.3).',
    'Name the issuer byte for byte, closing slash included; for a server that cannot be named so, set provider.',
  );
}

function judgeEndpoints(metadata: Metadata): Finding {
  const report = reporterFor('endpoints');
  const problems = ['authorization_endpoint', 'token_endpoint'].flatMap((name) => {
    const value = metadata[name];
    return typeof value === 'string' && isPrivate(value) ? [] : [`${name} is ${JSON.stringify(value)}`];
  });
  if (problems.length === 0) return report.ok('authorization and token endpoint');
  return report.fault(problems.join(', '), 'Clients refuse to send users or codes there.', 'Serve both over https.');
}

function judgeCodeFlow(metadata: Metadata): Finding {
  const report = reporterFor('code flow');
  const types = stringsIn(metadata.response_types_supported);
  const grants = metadata.grant_types_supported === undefined ? undefined : stringsIn(metadata.grant_types_supported);
  if (!types.includes('code') || grants?.includes('authorization_code') === false) {
    const seen = `response types ${JSON.stringify(types)}, grant types ${JSON.stringify(grants ?? 'not stated')}`;
    return report.fault(seen, 'Clients have no way to log a user in.', 'Allow the authorization code flow.');
  }
  return grants !== undefined && !grants.includes('refresh_token')
    ? report.warning('no refresh tokens', 'Users log in again whenever a token expires.', 'Allow refresh_token.')
    : report.ok('authorization code');
}

function judgePkce(metadata: Metadata): Finding {
  const report = reporterFor('PKCE');
  const methods = metadata.code_challenge_methods_supported;
  if (stringsIn(methods).includes('S256')) return report.ok('S256');
  return report.fault(
    `code_challenge_methods_supported is ${methods === undefined ? 'missing' : JSON.stringify(methods)}`,
    'Clients must refuse to log in without S256 (MCP specification, authorization).',
    'Have the authorization server announce S256; Entra ID does not: set provider.',
  );
}

function judgeIss(metadata: Metadata): Finding {
  const report = reporterFor('iss');
  if (metadata.authorization_response_iss_parameter_supported === true) return report.ok('announced');
  return report.warning(
    'authorization_response_iss_parameter_supported is not true',
    'Clients with several authorization servers cannot tell whose answer came back (RFC 9207).',
    'Have the authorization server send iss and announce it, or set provider.',
  );
}

function judgeRegistration(metadata: Metadata): Finding {
  const report = reporterFor('registration');
  const ways = [
    ...(typeof metadata.registration_endpoint === 'string' ? ['registration endpoint'] : []),
    ...(metadata.client_id_metadata_document_supported === true ? ['client ID metadata documents'] : []),
  ];
  if (ways.length > 0) return report.ok(ways.join(', '));
  return report.warning(
    'neither a registration endpoint nor client ID metadata documents',
    'Clients need a client ID from you: VS Code asks for one, others give up.',
    'Set provider with a clientId, which answers registration.',
  );
}
