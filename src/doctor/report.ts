import { printable, printableJson } from '../core/printable.js';
import type { ReportedFinding, Status } from './finding.js';

/** The output of a report: a terminal gets colours and a progress line, a pipe gets plain lines. */
export interface Screen {
  readonly isTerminal: boolean;
  readonly hasColours: boolean;
  write(text: string): void;
}

/** Receives findings as they come. */
export interface Report {
  begin(url: string): void;
  add(finding: ReportedFinding): void;
  end(): void;
}

const MARKS: Readonly<Record<Status, { readonly mark: string; readonly colour: number }>> = {
  ok: { mark: '✓', colour: 32 },
  warning: { mark: '!', colour: 33 },
  fault: { mark: '✗', colour: 31 },
};

/** Characters of each string in a finding, which a server may have sent. */
const MAX_TEXT = 600;

/** The same for JSON. */
const MAX_JSON_TEXT = 4_096;

const ERASE_LINE = '\r\u001b[2K';

/** Prints one line for each finding, at once. */
export function createTextReport(screen: Screen): Report {
  const counts: Record<Status, number> = { ok: 0, warning: 0, fault: 0 };
  const progress = (text: string) => screen.isTerminal && screen.write(ERASE_LINE + text);
  return {
    begin(url) {
      screen.write(`${printable(url, MAX_TEXT)}\n`);
      progress('  checking …');
    },
    add(finding) {
      counts[finding.status] += 1;
      progress('');
      screen.write(`${lineFor(finding, screen.hasColours)}\n`);
      progress(`  after ${printable(finding.step, MAX_TEXT)} …`);
    },
    end() {
      progress('');
      screen.write(`${counts.ok} ✓  ${counts.warning} !  ${counts.fault} ✗\n`);
    },
  };
}

function lineFor({ step, status, seen, affects, fix }: ReportedFinding, hasColours: boolean): string {
  const { mark, colour } = MARKS[status];
  const painted = hasColours ? `\u001b[${colour}m${mark}\u001b[39m` : mark;
  const rest = [affects, fix].filter((text) => text !== undefined).join(' ');
  const tail = rest === '' ? '' : `. ${printable(rest, MAX_TEXT)}`;
  return `${painted} ${printable(step, MAX_TEXT)}: ${printable(seen, MAX_TEXT)}${tail}`;
}

/** Prints one JSON document at the end. */
export function createJsonReport(screen: Screen): Report {
  const servers: { url: string; findings: ReportedFinding[] }[] = [];
  return {
    begin: (url) => void servers.push({ url, findings: [] }),
    add: (finding) => void servers.at(-1)?.findings.push(finding),
    end: () => screen.write(`${printableJson({ servers }, MAX_JSON_TEXT, 2)}\n`),
  };
}
