import type { OptionChecks } from '../options/checks.js';
import { flag, type OptionTable, oneOf, optional, word } from '../options/option-table.js';
import { requireScopes } from '../options/scope-list.js';
import { listOf, oneOfWords, TEXTS } from '../options/value-type.js';
import { REGISTRATION_MEMBERS, type RegistrationMember } from '../providers/provider.js';
import { type ProviderSwitches, STANDARD_SWITCHES } from '../providers/switches.js';

const METHODS = ['client_secret_basic', 'client_secret_post'] as const;
const MEMBERS_FIX = `Write some of ${REGISTRATION_MEMBERS.join(', ')}.`;
const PROMPTS_FIX = 'Write ["none", "login"], for example; [] if the server accepts none.';
const SCOPES_FIX = 'Write a list of scopes: ["openid"].';

/** Lists that are empty by default. */
const scopes = (fallback: readonly string[]) => ({
  default: fallback,
  type: TEXTS,
  read: (checks: OptionChecks, value: unknown, option: string) => requireScopes(checks, value, option, SCOPES_FIX),
});

/** The defaults are those of `standard`. Those of other kinds are in `providers/`. */
export const SWITCH_TABLE = {
  audience: flag(STANDARD_SWITCHES.audience),
  resource: flag(STANDARD_SWITCHES.resource),
  registration: flag(STANDARD_SWITCHES.registration),
  registrationMembers: {
    default: STANDARD_SWITCHES.registrationMembers,
    type: listOf(oneOfWords(REGISTRATION_MEMBERS)),
    read: requireMembers,
  },
  pkce: flag(STANDARD_SWITCHES.pkce),
  prompts: {
    default: STANDARD_SWITCHES.prompts,
    type: TEXTS,
    read: requirePrompts,
  },
  severalPrompts: flag(STANDARD_SWITCHES.severalPrompts),
  refreshScopes: word(['fewer', 'always', 'never'], STANDARD_SWITCHES.refreshScopes, 'Leave it out for "fewer".'),
  addedScopes: scopes(STANDARD_SWITCHES.addedScopes),
  omittedScopes: scopes(STANDARD_SWITCHES.omittedScopes),
  metadata: word(['any', 'oauth', 'openid'], STANDARD_SWITCHES.metadata, 'Leave it out for "any".'),
  tokenEndpointAuthMethod: {
    type: oneOfWords(METHODS),
    read: optional(oneOf(METHODS, 'Leave it out for the way that the metadata announces.')),
  },
} satisfies OptionTable<ProviderSwitches>;

function requirePrompts(checks: OptionChecks, given: unknown, option: string): readonly string[] {
  const prompts = checks.strings(given, option, PROMPTS_FIX);
  if (!prompts.some((prompt) => prompt.includes(' '))) return prompts;
  return checks.refuse(option, 'a list with one value of prompt in each entry', given, PROMPTS_FIX);
}

function requireMembers(checks: OptionChecks, given: unknown, option: string): readonly RegistrationMember[] {
  const names = checks.strings(given, option, MEMBERS_FIX);
  const unknown = names.find((name) => !REGISTRATION_MEMBERS.includes(name as RegistrationMember));
  if (unknown === undefined) return names as readonly RegistrationMember[];
  return checks.refuse(option, 'a list of members that clients register', unknown, MEMBERS_FIX);
}
