import { readServerDocuments } from './authorization-server.js';
import type { AcceptedIssuer } from './claim-check.js';
import { seeFromAnotherOrigin } from './cross-origin.js';
import { type Finding, reporterFor } from './finding.js';
import { isPrivate, type Probe } from './probe.js';
import { readResourceDocuments } from './resource-documents.js';
import { judgeClosingSlash, judgeScopes } from './scopes-and-slashes.js';
import { checkToken } from './token-check.js';
import { knock } from './without-token.js';

export type { AcceptedIssuer } from './claim-check.js';

/** One server to look at. */
export interface Patient {
  readonly url: string;
  /** A token to explain. */
  readonly token?: string | undefined;
  /** What a policy at hand accepts, which metadata cannot always tell. */
  readonly accepts?: readonly AcceptedIssuer[] | undefined;
}

const PLAIN = reporterFor('transport').warning(
  'plain http',
  'Whoever is on the way reads the tokens; many clients refuse.',
  'Serve it over https.',
);

/** Walks the way a client walks, and tells what it sees as it goes. */
export async function* examine({ url, token, accepts }: Patient, probe: Probe): AsyncGenerator<Finding> {
  const door = await knock(probe, url);
  yield* door.findings;
  if (!door.isThere) return;
  if (!isPrivate(url)) yield PLAIN;
  const scope = door.challenge?.parameters.get('scope');
  const resource = await readResourceDocuments(probe, url, door.metadataUrl);
  yield* resource.findings;
  const documents = resource.metadata === undefined ? [] : [resource.url];
  let jwksUri: string | undefined;
  for (const [i, issuer] of resource.authorizationServers.entries()) {
    const server = await readServerDocuments(probe, issuer);
    yield* server.findings;
    if (server.url !== undefined) documents.push(server.url);
    jwksUri ??= typeof server.metadata?.jwks_uri === 'string' ? server.metadata.jwks_uri : undefined;
    if (i === 0 && resource.metadata !== undefined) yield judgeScopes(scope, resource.metadata, server.metadata);
  }
  yield* await seeFromAnotherOrigin(probe, { url, documents });
  if (!door.isOpen) yield await judgeClosingSlash(probe, url);
  if (token === undefined) return;
  const named = accepts === undefined ? resource.metadata?.resource : url;
  yield* await checkToken(probe, url, token, {
    issuers: accepts ?? resource.authorizationServers.map((issuer) => ({ issuer })),
    resource: typeof named === 'string' ? named : url,
    scopes: scope?.split(' ') ?? [],
    jwksUri,
  });
}
