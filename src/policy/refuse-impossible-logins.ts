import type { OptionChecks } from '../options/checks.js';
import type { ResolvedClientDocuments } from './resolve-client-documents.js';
import type { TrustedIssuer } from './resolve-issuer.js';
import type { ConfiguredClients } from './resolve-proxy-clients.js';
import type { ResolvedSenderConstraint } from './resolve-sender-constraint.js';

/** The options that decide which clients can log in. */
interface ClientOptions {
  readonly clients: ConfiguredClients;
  readonly clientDocuments: Pick<ResolvedClientDocuments, 'enabled'>;
  readonly registration: boolean;
  readonly dpop: ResolvedSenderConstraint['dpop'];
}

type LoginIssuer = Pick<TrustedIssuer, 'client' | 'provider' | 'audienceClaim'>;

/** Refuses an OAuth proxy with which some clients, or all, could never log in. */
export function refuseImpossibleLogins(checks: OptionChecks, issuer: LoginIssuer, options: ClientOptions): void {
  refuseWithoutIds(checks, options);
  if (issuer.client === undefined) requireClient(checks, issuer, options);
  refuseProofs(checks, options);
}

function refuseWithoutIds(checks: OptionChecks, { clients, clientDocuments, registration }: ClientOptions): void {
  if (registration || clients.size > 0 || clientDocuments.enabled) return;
  const expected =
    'true where clientDocuments.enabled is false and "clients" is empty, since no client could get an id';
  checks.refuse('oauthProxy.registration', expected, false, 'Give clients an id in oauthProxy.clients.');
}

const REGISTER_BY_HAND = 'Register a client there by hand, and give its id';

/** Requires `clientId` if clients cannot get clients of their own at the authorization server. */
function requireClient(
  checks: OptionChecks,
  { provider, audienceClaim }: LoginIssuer,
  { clients }: ClientOptions,
): void {
  const refuse = (expected: string, fix = `${REGISTER_BY_HAND}.`) =>
    checks.refuse('clientId', expected, undefined, fix);
  if (clients.size > 0 && provider?.registration?.needsCredentials) {
    refuse('given together with oauthProxy.clients, since this provider registers no client without credentials');
  }
  if (provider?.registration === undefined) {
    refuse('given, since clients cannot register themselves at this provider');
  }
  if (audienceClaim === 'client_id') {
    refuse(
      'given where audienceClaim is "client_id": the id of a client that registers itself is not in "audiences"',
      `${REGISTER_BY_HAND}; or name another claim in audienceClaim.`,
    );
  }
}

/** RFC 9449, section 4.2: a proof names the URL it is for. Clients would name the OAuth proxy, and the issuer would refuse that. */
function refuseProofs(checks: OptionChecks, { dpop }: ClientOptions): void {
  if (dpop !== 'require') return;
  const expected = 'false where "provider" is given, since no proof passes through the OAuth proxy';
  const fix = 'Set oauthProxy to false, so that clients log in at the issuer itself.';
  checks.refuse('senderConstraint.dpop.required', expected, true, fix);
}
