import type { OptionChecks } from '../options/checks.js';
import type { ProviderChoice } from './provider-option.js';

/** The options of an issuer that say which tokens are meant for this server. */
interface Given {
  readonly audiences: unknown;
  readonly audienceClaim: string | undefined;
  readonly chosen: ProviderChoice | undefined;
  readonly clientId: string | undefined;
}

/**
 * Resolves the claim that names the audience, and checks that the other options fit it: where tokens name their client, the configured client
 * must be among the audiences.
 *
 * @param audiences The checked audiences: those of the policy, or the resource.
 */
export function resolveAudience(
  checks: OptionChecks,
  { audiences: given, audienceClaim, chosen, clientId }: Given,
  audiences: readonly string[],
  path: string,
): { readonly audienceClaim: string; readonly audiences: readonly string[] } {
  const claim = audienceClaim ?? chosen?.provider.audienceClaim ?? 'aud';
  const audienceSwitch = chosen?.switched.find((option) => option.endsWith('.audience'));
  if (audienceSwitch !== undefined && chosen?.provider.sendsAudience && claim !== 'aud') {
    const expected = `false where audienceClaim is "${claim}": servers write the audience of a login into "aud"`;
    checks.refuse(audienceSwitch, expected, true, 'Remove one of the two.');
  }
  if (given === undefined && claim === 'aud' && chosen?.provider.clientIsAudience) {
    const expected = 'given, since this provider writes the client id into "aud", and not the resource';
    const example = JSON.stringify([clientId ?? 'the-client-id']);
    checks.refuse(`${path}audiences`, expected, undefined, `Write audiences: ${example}.`);
  }
  if (chosen === undefined || claim !== 'client_id') return { audienceClaim: claim, audiences };
  if (given === undefined && clientId !== undefined) return { audienceClaim: claim, audiences: [clientId] };
  const expected = 'since tokens name their client as the audience (client_id)';
  if (given === undefined) {
    const fix = 'Give the id of the client that you registered there, or several of them in "audiences".';
    checks.refuse(`${path}clientId`, `given, ${expected}`, undefined, fix);
  }
  if (clientId !== undefined && !audiences.includes(clientId)) {
    checks.refuse(
      `${path}audiences`,
      `a list with clientId in it, ${expected}`,
      audiences,
      'Leave it out for clientId.',
    );
  }
  return { audienceClaim: claim, audiences };
}

/** Reads the option `audiences`, for which the resource is the default. */
export function requireAudiences(checks: OptionChecks, given: unknown, option: string): readonly string[] {
  const fix =
    'Name what your authorization server writes into "aud", or leave it out to use resourceMetadata.resource.';
  if (given === undefined) {
    const missing =
      'Write resourceMetadata: { resource: "https://mcp.example.com/mcp" }, the address that clients use.';
    return checks.refuse(option, 'given where resourceMetadata.resource is not', given, missing);
  }
  if (!Array.isArray(given) || given.length === 0) {
    return checks.refuse(option, 'a non-empty array of non-empty strings', given, fix);
  }
  const names = checks.strings(given, option, fix);
  const pattern = names.findIndex((name) => name.includes('*'));
  if (pattern === -1) return names;
  return checks.refuse(`${option}[${pattern}]`, 'a whole name, since patterns are not supported', names[pattern], fix);
}
