import type { Recipient } from './answer.js';
import { CAPABILITIES_KEY, LEGACY_REVISIONS, VERSION_KEY } from './era.js';
import type { SharedChild } from './shared-child.js';

/** What a program turned out to speak: revisions without sessions, older ones only, or nothing, since it did not start. */
export type Era =
  | { readonly kind: 'modern'; readonly versions: readonly string[] }
  | { readonly kind: 'legacy' | 'none' };

const PROBE_MS = 15_000;
const PARAMS = JSON.stringify({ _meta: { [VERSION_KEY]: '2026-07-28', [CAPABILITIES_KEY]: {} } });

/**
 * Asks a child with `server/discover` whether it speaks a revision without sessions. Anything but the answers of those revisions,
 * silence and a sudden end too, means that it does not (2026-07-28, stdio, Backward Compatibility).
 */
export function probeEra(shared: SharedChild): Promise<Era> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      shared.cancel(number);
      resolve({ kind: 'legacy' });
    }, PROBE_MS);
    const recipient: Recipient = {
      streaming: false,
      notify: nothing,
      tick: nothing,
      finish: nothing,
      respond(response) {
        clearTimeout(timer);
        resolve(eraIn(response));
      },
    };
    const number = shared.ask('server/discover', PARAMS, recipient);
  });
}

interface DiscoverResponse {
  readonly result?: { readonly supportedVersions?: unknown };
  readonly error?: {
    readonly code?: unknown;
    readonly data?: { readonly supported?: unknown; readonly reason?: unknown };
  };
}

function eraIn(response: Buffer): Era {
  let parsed: DiscoverResponse;
  try {
    parsed = JSON.parse(response.toString('utf8'));
  } catch {
    // No JSON is no answer of these revisions.
    return { kind: 'legacy' };
  }
  const { result, error } = parsed;
  if (error?.data?.reason === 'child_not_started') return { kind: 'none' };
  const versions = result?.supportedVersions ?? (error?.code === -32022 ? error.data?.supported : undefined);
  const modern = Array.isArray(versions) ? versions.filter((version) => !LEGACY_REVISIONS.has(version)) : [];
  return modern.length > 0 ? { kind: 'modern', versions: modern } : { kind: 'legacy' };
}

function nothing(): void {
  // A probe has nobody to tell.
}
