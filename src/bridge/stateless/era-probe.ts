import type { BridgeErrorCode } from '../../messages/bridge-error.js';
import { CAPABILITIES_KEY, LEGACY_REVISIONS, VERSION_KEY } from '../../messages/era.js';
import { askChild } from './own-request.js';
import type { SharedChild } from './shared-child.js';

/** What a program turned out to speak: revisions without sessions, older ones only, or nothing. */
export type Era =
  | { readonly kind: 'modern'; readonly versions: readonly string[] }
  | { readonly kind: 'legacy' }
  /** It did not say: why, where it was for a reason of ours. */
  | { readonly kind: 'silent'; readonly reason: BridgeErrorCode | undefined };

const PROBE_MS = 15_000;
const PARAMS = { _meta: { [VERSION_KEY]: '2026-07-28', [CAPABILITIES_KEY]: {} } };

/**
 * Asks a child with `server/discover` whether it speaks a revision without sessions. Any answer but those of these revisions means
 * that the program does not (2026-07-28, stdio, Backward Compatibility). Silence and a sudden end mean it too, but they may be
 * the fault of this one child, such as that of its user's environment.
 */
export async function probeEra(shared: SharedChild): Promise<Era> {
  const { result, error } = await askChild(shared, 'server/discover', PARAMS, PROBE_MS);
  if (!shared.answered) return { kind: 'silent', reason: shared.over };
  const versions = result?.supportedVersions ?? (error?.code === -32022 ? error.data?.supported : undefined);
  const modern = Array.isArray(versions) ? versions.filter((version) => !LEGACY_REVISIONS.has(version)) : [];
  return modern.length > 0 ? { kind: 'modern', versions: modern } : { kind: 'legacy' };
}
