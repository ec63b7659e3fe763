import type { ResolvedAuth } from '../policy/resolve-auth.js';
import { assumePolicy, type SeenPolicy } from './assumed-policy.js';
import { readServerDocuments } from './authorization-server.js';
import { seeFromAnotherOrigin } from './cross-origin.js';
import { type Finding, reporterFor } from './finding.js';
import { fetchErrorOf, isPrivate, type Probe, probe } from './probe.js';
import { createJsonReport, createTextReport, type Screen } from './report.js';
import { judgeScopes, readResourceDocuments } from './resource-documents.js';
import { checkToken } from './token-check.js';
import { judgeClosingSlash, knock } from './without-token.js';

/** One server to look at. */
export interface Patient {
  readonly url: string;
  /** A token to explain. */
  readonly token?: string | undefined;
  /** Its policy, where that is at hand: what it accepts cannot always be told from metadata. */
  readonly policy?: ResolvedAuth | undefined;
}

const PLAIN = reporterFor('transport').warning(
  'plain http',
  'Whoever is on the way reads the tokens; many clients refuse.',
  'Serve it over https.',
);

/** Walks the way a client walks, and tells what it sees as it goes. */
export async function* examine({ url, token, policy }: Patient, probe: Probe): AsyncGenerator<Finding> {
  const door = await knock(probe, url);
  yield* door.findings;
  if (!door.isThere) return;
  if (!isPrivate(url)) yield PLAIN;
  const scope = door.challenge?.parameters.get('scope') ?? '';
  const scopes = scope.split(' ').filter((each) => each !== '');
  const resource = await readResourceDocuments(probe, url, door.metadataUrl);
  yield* resource.findings;
  const documents = resource.metadata === undefined ? [] : [resource.url];
  const servers: SeenPolicy['servers'][number][] = [];
  for (const [i, issuer] of resource.authorizationServers.entries()) {
    const server = await readServerDocuments(probe, issuer);
    yield* server.findings;
    if (server.url !== undefined) documents.push(server.url);
    const jwksUri = server.metadata?.jwks_uri;
    servers.push({ issuer, jwksUri: typeof jwksUri === 'string' ? jwksUri : undefined });
    if (i === 0 && resource.metadata !== undefined) yield judgeScopes(scopes, resource.metadata, server.metadata);
  }
  yield* await seeFromAnotherOrigin(probe, { url, documents });
  if (!door.isOpen) yield await judgeClosingSlash(probe, url);
  if (token === undefined) return;
  const { metadata = {} } = resource;
  const named = typeof metadata.resource === 'string' ? metadata.resource : url;
  yield* await checkToken(probe, url, token, policy ?? assumePolicy({ servers, resource: named, scopes, metadata }));
}

export interface DoctorOptions {
  readonly patients: readonly Patient[];
  readonly json: boolean;
}

/** Looks at one server after the other, and reports; resolves to whether all of them are without a fault. */
export async function runDoctor({ patients, json }: DoctorOptions, screen: Screen): Promise<boolean> {
  const report = json ? createJsonReport(screen) : createTextReport(screen);
  let isHealthy = true;
  for (const patient of patients) {
    report.begin(patient.url);
    for await (const finding of walk(patient)) {
      report.add(finding);
      if (finding.status === 'fault') isHealthy = false;
    }
  }
  report.end();
  return isHealthy;
}

/** A server that stops answering half-way is a fault like any other. */
async function* walk(patient: Patient): AsyncGenerator<Finding> {
  try {
    yield* examine(patient, probe);
  } catch (error) {
    const { message } = fetchErrorOf(error);
    const fix = 'Look into its log.';
    yield reporterFor('walk').fault(message, 'The server stopped answering half-way.', fix);
  }
}
