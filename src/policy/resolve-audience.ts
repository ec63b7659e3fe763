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
