import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** npm repeats a Ctrl-C that the terminal has already sent to every process. Within this time, it is the same Ctrl-C. */
const SAME_KEYSTROKE_MS = 500;

/** Calls `stop` at the first Ctrl-C or SIGTERM. A second one ends the process at once. */
export function onStopSignal(stop: () => void): void {
  let stoppedAt: number | undefined;

  function onSignal(signal: NodeJS.Signals): void {
    if (stoppedAt === undefined) {
      stoppedAt = performance.now();
      stop();
    } else if (performance.now() - stoppedAt > SAME_KEYSTROKE_MS) {
      for (const name of SIGNALS) process.off(name, onSignal);
      process.kill(process.pid, signal);
      // biome-ignore lint/nursery/noProcessExit: a signal does not end the first process of a container (PID 1).
      process.exit(128 + constants.signals[signal]);
    }
  }

  for (const signal of SIGNALS) process.on(signal, onSignal);
}
