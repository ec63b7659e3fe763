import { onTestFinished } from 'vitest';

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/** Collects the errors that would end the process, until the test ends. */
export function collectUncaught(): unknown[] {
  const errors: unknown[] = [];
  const collect = (error: unknown) => void errors.push(error);
  for (const event of EVENTS) {
    // Those of vitest, which would fail the run.
    const others = process.listeners(event as 'uncaughtException');
    process.removeAllListeners(event).on(event, collect);
    onTestFinished(() => {
      process.off(event, collect);
      for (const other of others) process.on(event as 'uncaughtException', other);
    });
  }
  return errors;
}
