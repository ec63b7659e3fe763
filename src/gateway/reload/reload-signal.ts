import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

/** Standard input, output and errors. */
const STREAMS = [0, 1, 2];

/** SIGHUP, from the start of the process on. */
export interface ReloadSignals {
  /** Calls `reload` at each SIGHUP, and now if there was one before: a service manager may send it during the start. */
  use(reload: () => void): void;
  /** From now on, SIGHUP ends the process, and so does one that came before. */
  release(): void;
}

/**
 * Catches SIGHUP, which would end the process. A terminal that is closed sends the same signal to the programs in it: then the process ends,
 * as at SIGTERM. After `nohup`, none of its streams is a terminal, and it goes on.
 */
export function catchReloadSignals(): ReloadSignals {
  // Windows sends it only when a console is closed, and ends the process soon after.
  if (process.platform === 'win32') return { use: () => undefined, release: () => undefined };
  const hadTerminal = STREAMS.some((stream) => isatty(stream)) && hasTerminal();
  let isMissed = false;
  let onReload = () => {
    isMissed = true;
  };
  const onSignal = () => {
    if (hadTerminal && !hasTerminal()) process.kill(process.pid, 'SIGTERM');
    else onReload();
  };
  process.on('SIGHUP', onSignal);
  return {
    use(reload) {
      onReload = reload;
      if (isMissed) reload();
    },
    release() {
      process.off('SIGHUP', onSignal);
      if (isMissed) process.kill(process.pid, 'SIGHUP');
    },
  };
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
