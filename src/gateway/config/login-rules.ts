import { readLoginRule } from '../../authorization/login-rule.js';
import { isRecord } from '../../http/json-object.js';
import type { McpAuthOptions } from '../../index.js';
import { createChecks } from '../../options/checks.js';
import { namesIdentityProvider } from '../../policy/identity-tables.js';
import type { InputFiles } from '../input-files.js';
import { readSecretFiles } from './secret-file.js';

/**
 * Returns the policy of a configuration file as `mcpAuth()` takes it: with the secrets in place of their files, and with a function in
 * place of the expression that says who may log in.
 *
 * @throws {ConfigError} If an expression is not valid.
 */
export function policyOptions(
  policy: Readonly<Record<string, unknown>>,
  files: Pick<InputFiles, 'read' | 'use'>,
): McpAuthOptions {
  // The block has the members of a policy. mcpAuth() refuses any that it does not support.
  return withLoginRules(readSecretFiles(policy, files)) as unknown as McpAuthOptions;
}

/** Replaces the expressions. The text stays where it is wrong in another way, and is refused with the other options. */
export function withLoginRules(policy: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { issuers } = policy;
  const replaced = withRule(policy, '');
  if (!Array.isArray(issuers)) return replaced;
  return { ...replaced, issuers: issuers.map((issuer: unknown, i) => withRule(issuer, `issuers[${i}].`)) };
}

function withRule(issuer: unknown, path: string): Record<string, unknown> {
  if (!isRecord(issuer) || !namesIdentityProvider(issuer.provider)) return issuer as Record<string, unknown>;
  const providers = Object.entries(issuer.provider).map(([name, settings]) => {
    if (!isRecord(settings) || typeof settings.allow !== 'string') return [name, settings];
    const option = `${path}provider.${name}.allow`;
    return [name, { ...settings, allow: readLoginRule(createChecks('mcpAuth()'), settings.allow, option) }];
  });
  return { ...issuer, provider: Object.fromEntries(providers) };
}
