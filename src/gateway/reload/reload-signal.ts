import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

/** Standard input, output and errors. */
const STREAMS = [0, 1, 2];

/**
 * Calls `reload` at each SIGHUP. A terminal that is closed sends the same signal to the programs in it: then the process ends, as at SIGTERM.
 * After `nohup`, none of its streams is a terminal, and it goes on.
 */
export function onReloadSignal(reload: () => void): void {
  // Windows sends it only when a console is closed, and ends the process soon after.
  if (process.platform === 'win32') return;
  const hadTerminal = STREAMS.some((stream) => isatty(stream)) && hasTerminal();
  process.on('SIGHUP', () => {
    if (hadTerminal && !hasTerminal()) process.kill(process.pid, 'SIGTERM');
    else reload();
  });
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
