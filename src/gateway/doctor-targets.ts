import type { DoctorTarget } from '../doctor/doctor.js';
import { resolveAuth } from '../policy/resolve-auth.js';
import { requireIssuers } from './config/dev-issuer-policies.js';
import { authenticationsOf, type McpAuthenticationConfig } from './config/gateway-config.js';
import { policyOptions } from './config/login-rules.js';
import { type InputFiles, NO_SECRETS } from './input-files.js';
import { loadConfig, NO_DRAIN } from './load-config.js';
import { atPlace, StartupError } from './startup-error.js';

interface DoctorSettings {
  /**
   * Only the checks of a token need the secrets of a policy, such as the one for an introspection endpoint. A secret that cannot be read is
   * named in the target.
   */
  readonly hasToken: boolean;
  /** The names given to `--ignore`. */
  readonly ignored: readonly string[];
}

/**
 * Returns what the doctor checks for a configuration file: the resource of each route that names one, with the policy as the gateway
 * resolves it.
 */
export function doctorTargetsIn(file: string, { hasToken, ignored }: DoctorSettings): DoctorTarget[] {
  const { env } = process;
  const { config, files, step, conceal } = loadConfig(file, { env, ignored, process: NO_DRAIN });
  const targets = step(() => {
    requireIssuers(config, 'if it runs with --dev-issuer, give the doctor its URL instead of -f');
    return authenticationsOf(config).flatMap((each) => targetsOf(each, hasToken ? files : undefined));
  });
  if (targets.length > 0) return targets.map((target) => ({ ...target, unread: target.unread?.map(conceal) }));
  throw new StartupError(
    `${file}: no route has mcpAuthentication.resourceMetadata.resource, the address that the doctor checks`,
  );
}

function targetsOf({ policy, at: place }: McpAuthenticationConfig, files: InputFiles | undefined): DoctorTarget[] {
  const unread: string[] = [];
  files?.tolerate((message) => void unread.push(message));
  const resolved = atPlace(place, () => resolveAuth('mcpAuth()', policyOptions(policy, files ?? NO_SECRETS)));
  const { resource } = resolved;
  // A resource for each tenant has no address of its own.
  return resource === undefined || resource.tenants !== undefined
    ? []
    : [{ url: resource.href, policy: resolved, unread }];
}
