import { type Claims, claimOf, isNoTime, shown, textsOf } from './claims.js';
import { type Finding, reporterFor } from './finding.js';

/** An issuer whose tokens are accepted, and where they say for whom they are and what they may. */
export interface AcceptedIssuer {
  readonly issuer: string;
  /** @default the resource */
  readonly audiences?: readonly string[] | undefined;
  /** @default `'aud'` */
  readonly audienceClaim?: string | undefined;
  /** A claim that holds scopes beside `scope` and `scp`. */
  readonly scopesClaim?: string | undefined;
}

/** What is known of an issuer that could be the token's. */
type Candidate = Omit<AcceptedIssuer, 'issuer'>;

/** Claim by claim, whether servers that accept these issuers, for this resource, accept the token. */
export function judgeClaims(
  claims: Claims,
  { issuers, resource, scopes }: { issuers: readonly AcceptedIssuer[]; resource: string; scopes: readonly string[] },
): Finding[] {
  const candidates = candidatesFor(claims, issuers);
  return [
    judgeIssuer(claims, issuers),
    bestOf(candidates, (candidate) => judgeAudience(claims, candidate, resource)),
    judgeTime(claims),
    bestOf(candidates, (candidate) => judgeScope(claims, scopes, candidate)),
    ...judgeNames(claims),
  ];
}

/** Of a token whose issuer nobody knows, the rest is good if it would be so for any issuer. */
function candidatesFor(claims: Claims, issuers: readonly AcceptedIssuer[]): readonly [Candidate, ...Candidate[]] {
  const named = issuers.filter(({ issuer }) => issuer === claimOf(claims, 'iss'));
  const [first = {}, ...more] = named.length > 0 ? named : issuers;
  return [first, ...more];
}

function bestOf([first, ...more]: readonly [Candidate, ...Candidate[]], judge: (one: Candidate) => Finding): Finding {
  const finding = judge(first);
  return [finding, ...more.map(judge)].find(({ status }) => status === 'ok') ?? finding;
}

function judgeIssuer(claims: Claims, issuers: readonly AcceptedIssuer[]): Finding {
  const report = reporterFor('token iss');
  const iss = claimOf(claims, 'iss');
  const known = issuers.find(({ issuer }) => issuer === iss);
  return known !== undefined
    ? report.ok(known.issuer)
    : report.fault(
        `${shown(iss)}, expected ${issuers.map(({ issuer }) => issuer).join(' or ')}`,
        'The comparison is byte for byte, closing slash included.',
        'Set issuer to what the token says, if that is the server you trust.',
      );
}

const WRONG_TYPE = ['Servers refuse it.', 'Correct what the authorization server writes into tokens.'] as const;

function judgeAudience(claims: Claims, candidate: Candidate, resource: string): Finding {
  const { audienceClaim = 'aud', audiences = [resource] } = candidate;
  const report = reporterFor(`token ${audienceClaim}`);
  const found = shown(claimOf(claims, audienceClaim));
  const named = textsOf(claims, audienceClaim);
  if (named === undefined) return report.fault(`${found}, ${NO_TEXTS}`, ...WRONG_TYPE);
  // Of aud alone one closing slash is tolerated, since servers copy it from a client's resource.
  const asCompared = (text: string) => (audienceClaim === 'aud' ? text.replace(/\/$/, '') : text);
  return named.some((name) => audiences.some((audience) => asCompared(audience) === asCompared(name)))
    ? report.ok(named.join(', '))
    : report.fault(
        `${found}, expected ${audiences.join(' or ')}`,
        'It was made for somebody else.',
        'Have clients send resource; at Keycloak add an Audience mapper; or name the audience in audiences.',
      );
}

const NO_TEXTS = 'neither text nor a list of texts';

function judgeTime(claims: Claims): Finding {
  const report = reporterFor('token time');
  const wrong = ['exp', 'nbf', 'iat'].filter((name) => isNoTime(claims, name));
  if (wrong.length > 0) return report.fault(`${valuesOf(claims, wrong)}, not a number of seconds`, ...WRONG_TYPE);
  const { exp, nbf } = claims as { exp?: number; nbf?: number };
  const now = Math.floor(Date.now() / 1000);
  if (exp === undefined)
    return report.fault('no exp', 'It would be good for ever.', 'Have the authorization server set exp.');
  if (exp <= now)
    return report.fault(`expired ${now - exp} seconds ago`, 'It is no longer good.', 'Refresh it, or log in again.');
  if (nbf !== undefined && nbf > now) {
    return report.fault(`good in ${nbf - now} seconds`, 'It is not yet good.', 'Set the clocks right.');
  }
  return report.ok(`expires in ${exp - now} seconds`);
}

function valuesOf(claims: Claims, names: readonly string[]): string {
  return names.map((name) => `${name} is ${shown(claimOf(claims, name))}`).join(', ');
}

function judgeScope(claims: Claims, needed: readonly string[], { scopesClaim }: Candidate): Finding {
  const report = reporterFor('token scope');
  const names = ['scope', 'scp', ...(scopesClaim === undefined ? [] : [scopesClaim])];
  const wrong = names.filter((name) => textsOf(claims, name) === undefined);
  if (wrong.length > 0) return report.fault(`${valuesOf(claims, wrong)}, ${NO_TEXTS}`, ...WRONG_TYPE);
  // A text is a list of scopes, too; an item of a list is one scope.
  const scopes = names.flatMap((name) => {
    const value = claimOf(claims, name);
    return typeof value === 'string' ? value.split(' ').filter((scope) => scope !== '') : (textsOf(claims, name) ?? []);
  });
  const missing = needed.filter((scope) => !scopes.includes(scope));
  return missing.length === 0
    ? report.ok(scopes.join(' ') || 'none')
    : report.fault(
        `lacks ${missing.join(' ')}`,
        'Every call is answered 403.',
        'Ask for these scopes when logging in.',
      );
}

/** Who is meant need not be said, but not by a number or a list either. */
function judgeNames(claims: Claims): Finding[] {
  const client = ['client_id', 'azp', 'cid'].find((name) => claimOf(claims, name) !== undefined);
  return ['sub', ...(client === undefined ? [] : [client])].flatMap((name) => {
    const value = claimOf(claims, name);
    if (value === undefined || typeof value === 'string') return [];
    return [reporterFor(`token ${name}`).fault(`${shown(value)}, not text`, ...WRONG_TYPE)];
  });
}
