import { nearestName, type OptionChecks } from '../options/checks.js';
import { readOptions } from '../options/option-table.js';
import { either, membersOf, oneOfWords } from '../options/value-type.js';
import { opaqueProviderOf } from '../providers/opaque-providers.js';
import type { Provider } from '../providers/provider.js';
import { createProvider, type ProviderKind } from '../providers/provider-kind.js';
import { PROVIDER_KINDS, PROVIDER_NAMES, PROVIDERS, type ProviderName } from '../providers/providers.js';
import type { ProviderSwitches, SwitchName } from '../providers/switches.js';
import { IDENTITY_MEMBERS, IDENTITY_NAMES, identityNameOf } from './identity-tables.js';
import { SWITCH_TABLE } from './provider-switches.js';

export const PROVIDER_TYPE = either(
  oneOfWords(PROVIDER_NAMES),
  membersOf('provider', IDENTITY_MEMBERS, {
    pattern: new RegExp(`^(?:${PROVIDER_NAMES.join('|')})$`),
    type: membersOf('provider switches', SWITCH_TABLE),
  }),
);
const PROVIDER_FIX = 'Write "keycloak", or another provider; leave it out if the issuer follows the MCP specification.';

/** A provider, and the paths of the switches that the policy sets. */
export interface ProviderChoice {
  readonly provider: Provider;
  readonly switched: readonly string[];
}

/** Reads the option `provider`: a name, or an object with one name and its switches. */
export function readProvider(checks: OptionChecks, given: unknown, option: string): ProviderChoice {
  if (typeof given === 'string') {
    return { provider: PROVIDERS[requireProviderName(checks, given, option)], switched: [] };
  }
  const providers = checks.record(given, option, PROVIDER_FIX);
  for (const name of Object.keys(providers)) requireProviderName(checks, name, option);
  const named = PROVIDER_NAMES.filter((name) => providers[name] !== undefined);
  const [name] = named;
  if (name === undefined || named.length > 1) return checks.refuse(option, 'exactly one provider', named, PROVIDER_FIX);
  return readSwitches(checks, { name, given: providers[name] }, `${option}.${name}`);
}

function readSwitches(
  checks: OptionChecks,
  { name, given }: { readonly name: ProviderName; readonly given: unknown },
  path: string,
): ProviderChoice {
  const kind: ProviderKind = PROVIDER_KINDS[name];
  const record = checks.record(given, path, `Write { ${name}: {} }.`);
  refuseMisplaced(checks, record, path);
  const entries = Object.entries(record).filter(([, value]) => value !== undefined);
  const switches = readOptions(checks, SWITCH_TABLE, { ...kind.switches, ...Object.fromEntries(entries) }, path);
  refuseFixed(checks, kind, switches, path);
  return { provider: createProvider(kind, switches), switched: entries.map(([key]) => `${path}.${key}`) };
}

/** Options of the policy that users look for inside the provider. */
export function refuseMisplaced(checks: OptionChecks, given: Readonly<Record<string, unknown>>, path: string): void {
  const misplaced = ['clientId', 'clientSecret', 'audiences', 'audienceClaim'].find((name) => name in given);
  if (misplaced === undefined) return;
  const expected = `an object without "${misplaced}", which is an option of the policy`;
  checks.refuseUnquoted(path, expected, `Write ${misplaced} next to "provider", not inside it.`);
}

function refuseFixed(checks: OptionChecks, kind: ProviderKind, switches: ProviderSwitches, path: string): void {
  for (const [name, reason] of Object.entries(kind.fixed ?? {}) as [SwitchName, string][]) {
    const only = kind.switches[name];
    if (switches[name] === only) continue;
    checks.refuse(`${path}.${name}`, `${only}, since ${reason}`, switches[name], `Leave it out for ${only}.`);
  }
}

function requireProviderName(checks: OptionChecks, name: string, option: string): ProviderName {
  const identity = identityNameOf(name);
  if (identity !== undefined) {
    const fix = `Write provider: { ${identity}: { allow: (profile) => … } }: users log in there, and this server issues the tokens.`;
    checks.refuse(option, 'an object where users log in at an identity provider', name, fix);
  }
  return checks.oneOf(name, option, PROVIDER_NAMES, fixOfProvider(name));
}

function fixOfProvider(name: string): string {
  const opaque = opaqueProviderOf(name);
  if (opaque !== undefined)
    return `The access tokens of ${opaque} are opaque, not JWTs. Write { oauth2: { … } } with its endpoints: users log in there, and this server issues the tokens.`;
  const near = nearestName(name, [...PROVIDER_NAMES, ...IDENTITY_NAMES]);
  if (near === undefined)
    return 'Write "standard" for any other server without registration; leave it out if the issuer follows the MCP specification.';
  return identityNameOf(near) === undefined ? `Did you mean "${near}"?` : `Did you mean { ${near}: { allow: … } }?`;
}
