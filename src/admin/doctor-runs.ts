import { printable } from '../core/printable.js';
import { findingsFor } from '../doctor/doctor.js';
import type { ReportedFinding, Status } from '../doctor/finding.js';
import { AdminError } from './admin-error.js';
import type { AdminRoute } from './admin-source.js';

/** A finding as the page shows it. */
export interface ShownFinding {
  readonly level: 'ok' | 'note' | 'problem';
  readonly text: string;
  readonly fix?: string;
}

const LEVELS: Readonly<Record<Status, ShownFinding['level']>> = { ok: 'ok', warning: 'note', fault: 'problem' };

/** Characters of each string, which a server may have sent. */
const MAX_TEXT = 2_000;
/** Milliseconds of one run. */
const MAX_MS = 60_000;

/** Creates the function that checks a route as `express-mcp-auth doctor` does. A route is checked by one run at a time. */
export function createDoctorRuns(): (route: AdminRoute) => Promise<{ readonly findings: readonly ShownFinding[] }> {
  const running = new Set<string>();
  return async ({ id, doctorTarget }) => {
    if (doctorTarget === undefined)
      throw new AdminError(
        409,
        'no_address',
        'The doctor needs the address of the route: set resourceMetadata.resource. If that is set, it has {tenant} or the path of another route: run express-mcp-auth doctor URL',
      );
    if (running.has(id)) throw new AdminError(409, 'doctor_is_running', 'The doctor is already checking this route');
    running.add(id);
    try {
      return { findings: await collect(findingsFor(doctorTarget)) };
    } finally {
      running.delete(id);
    }
  };
}

async function collect(findings: AsyncGenerator<ReportedFinding>): Promise<readonly ShownFinding[]> {
  const shown: ShownFinding[] = [];
  const isLate = new Promise<true>((resolve) => setTimeout(resolve, MAX_MS, true).unref());
  for (;;) {
    const next = await Promise.race([findings.next(), isLate]);
    if (next === true) return [...shown, LATE];
    if (next.done === true) return shown;
    shown.push(showFinding(next.value));
  }
}

const LATE: ShownFinding = { level: 'problem', text: `The doctor did not finish within ${MAX_MS / 1_000} seconds` };

function showFinding({ step, status, seen, affects, fix }: ReportedFinding): ShownFinding {
  const text = `${step}: ${seen}${affects === undefined ? '' : `. ${affects}`}`;
  return {
    level: LEVELS[status],
    text: printable(text, MAX_TEXT),
    ...(fix !== undefined && { fix: printable(fix, MAX_TEXT) }),
  };
}
