import type { Logger } from '../../core/logger.js';
import { createRareLine } from '../../core/rare-line.js';
import { BridgeError, type BridgeErrorCode } from '../../messages/bridge-error.js';

/** Creates the log of the target's failures. It logs each reason at most once a minute: if a target is down, every request fails. */
export function createFailureLog(
  who: string,
  { url, logger }: { readonly url: URL; readonly logger: Logger },
): (error: unknown, detail?: string) => void {
  const lines = new Map<BridgeErrorCode, (line: string) => void>();
  // The query may contain a key.
  const address = url.origin + url.pathname;
  return (error, detail) => {
    if (!(error instanceof BridgeError) || !error.reason.startsWith('target_')) return;
    const log = lines.get(error.reason) ?? createRareLine((line) => logger.error(line));
    lines.set(error.reason, log);
    log(`${who}: ${address}: ${error.message} (${error.reason})${detail === undefined ? '' : `: ${detail}`}`);
  };
}
