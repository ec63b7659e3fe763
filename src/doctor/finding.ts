import type { OutageCode, RefusalCode } from '../core/errors.js';

/** `ok`: as clients want it. `warning`: some clients stumble. `fault`: clients cannot log in, or strangers get in. */
export type Status = 'ok' | 'warning' | 'fault';

/** What one step of the walk found. */
export interface Finding {
  readonly step: string;
  readonly status: Status;
  readonly seen: string;
  /** Which clients stumble, and how. */
  readonly affects?: string;
  /** What to change. */
  readonly fix?: string;
  /** Of a reason to refuse a token: its heading in docs/errors.md. */
  readonly code?: RefusalCode | OutageCode;
}

/** How a step reports: each of its findings under its name. */
export function reporterFor(step: string) {
  return {
    ok: (seen: string): Finding => ({ step, status: 'ok', seen }),
    warning: (seen: string, affects: string, fix: string): Finding => ({ step, status: 'warning', seen, affects, fix }),
    fault: (seen: string, affects: string, fix: string): Finding => ({ step, status: 'fault', seen, affects, fix }),
  };
}
