import { CAPABILITIES_KEY, LEGACY_REVISIONS, VERSION_KEY } from './era.js';
import { askChild } from './own-request.js';
import type { SharedChild } from './shared-child.js';

/** What a program turned out to speak: revisions without sessions, older ones only, or nothing, since it did not start. */
export type Era =
  | { readonly kind: 'modern'; readonly versions: readonly string[] }
  | { readonly kind: 'legacy' | 'none' };

const PROBE_MS = 15_000;
const PARAMS = { _meta: { [VERSION_KEY]: '2026-07-28', [CAPABILITIES_KEY]: {} } };

/**
 * Asks a child with `server/discover` whether it speaks a revision without sessions. Anything but the answers of those revisions,
 * silence and a sudden end too, means that it does not (2026-07-28, stdio, Backward Compatibility).
 */
export async function probeEra(shared: SharedChild): Promise<Era> {
  const { result, error } = await askChild(shared, 'server/discover', PARAMS, PROBE_MS);
  if (error?.data?.reason === 'child_not_started') return { kind: 'none' };
  const versions = result?.supportedVersions ?? (error?.code === -32022 ? error.data?.supported : undefined);
  const modern = Array.isArray(versions) ? versions.filter((version) => !LEGACY_REVISIONS.has(version)) : [];
  return modern.length > 0 ? { kind: 'modern', versions: modern } : { kind: 'legacy' };
}
