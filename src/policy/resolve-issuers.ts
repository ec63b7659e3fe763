import type { OptionChecks } from '../options/checks.js';
import { namesIdentityProvider } from './identity-tables.js';
import { type ResolvedIdentity, resolveIdentity } from './resolve-identity.js';
import { ISSUER_OPTIONS, type IssuerContext, resolveIssuer, type TrustedIssuer } from './resolve-issuer.js';

/** The issuers of a policy, and the identity provider, if it has one. */
interface Issuers {
  readonly issuers: readonly TrustedIssuer[];
  readonly identity: ResolvedIdentity | undefined;
}

/** Checks `issuers`, or the options of the only issuer. */
export function resolveIssuers(
  checks: OptionChecks,
  given: Record<string, unknown>,
  shared: Omit<IssuerContext, 'path'>,
): Issuers {
  if (given.issuers === undefined) return resolveEntries(checks, [{ entry: given, path: '' }], shared);
  for (const key of ISSUER_OPTIONS) {
    if (given[key] !== undefined) {
      const [expected, fix] = ['left out where "issuers" is given', 'Move it into the entries of "issuers".'] as const;
      if (key === 'clientSecret') checks.refuseUnquoted(key, expected, fix);
      else checks.refuse(key, expected, given[key], fix);
    }
  }
  const list = given.issuers;
  if (!Array.isArray(list) || (list.length === 0 && !acceptsOwnCredentials(given))) {
    return checks.refuse('issuers', 'a non-empty array', list, 'Name each issuer whose tokens you accept.');
  }
  const entries = list.map((item: unknown, i) => {
    const path = `issuers[${i}]`;
    const entry = checks.record(item, path, 'Write { issuer: …, jwks: … }.');
    checks.knownKeys(entry, path, ISSUER_OPTIONS);
    return { entry, path };
  });
  const resolved = resolveEntries(checks, entries, shared);
  requireDifferent(
    checks,
    entries.map(({ entry }) => entry.issuer),
  );
  return resolved;
}

function resolveEntries(
  checks: OptionChecks,
  entries: readonly { readonly entry: Record<string, unknown>; readonly path: string }[],
  shared: Omit<IssuerContext, 'path'>,
): Issuers {
  const isLogin = ({ entry }: (typeof entries)[number]) => namesIdentityProvider(entry.provider);
  const [login, second] = entries.filter(isLogin);
  if (second !== undefined) {
    const expected = 'left out where another issuer has an identity provider: users log in at one';
    checks.refuseUnquoted(`${second.path}.provider`, expected, 'Write one policy for each.');
  }
  const others = entries.filter((each) => !isLogin(each));
  return {
    issuers: Object.freeze(others.map(({ entry, path }) => resolveIssuer(checks, entry, { path, ...shared }))),
    identity: login && resolveIdentity(checks, login.entry, { path: login.path, allowHttp: shared.allowHttp }),
  };
}

/** @param names Undefined for an identity provider, whose name need not be given. */
function requireDifferent(checks: OptionChecks, names: readonly unknown[]): void {
  const twice = names.findIndex((name, i) => name !== undefined && names.indexOf(name) !== i);
  if (twice !== -1) {
    checks.refuse(`issuers[${twice}].issuer`, 'named once', names[twice], 'Put all its audiences into one entry.');
  }
}

/** True if no issuer is needed: this server alone knows its credentials. */
function acceptsOwnCredentials({ apiKeys, verifiers, introspection }: Record<string, unknown>): boolean {
  const hasVerifiers = Array.isArray(verifiers) && verifiers.length > 0;
  return introspection === undefined && (apiKeys !== undefined || hasVerifiers);
}
