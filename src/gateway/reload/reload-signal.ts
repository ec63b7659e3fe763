import { closeSync, openSync } from 'node:fs';

/**
 * Calls `reload` at each SIGHUP. A terminal that is closed sends the same signal: then the process ends as at SIGTERM, because it
 * cannot be ended from there any more.
 *
 * @returns The function that stops listening.
 */
export function onReloadSignal(reload: () => void): () => void {
  // Windows sends it only when a console is closed, and ends the process soon after.
  if (process.platform === 'win32') return () => undefined;
  const hadTerminal = hasTerminal();
  const onSignal = (): void => {
    if (hadTerminal && !hasTerminal()) process.kill(process.pid, 'SIGTERM');
    else reload();
  };
  process.on('SIGHUP', onSignal);
  return () => void process.off('SIGHUP', onSignal);
}

/** True if the process has a terminal that can be opened. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r+'));
    return true;
  } catch {
    return false;
  }
}
