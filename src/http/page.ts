import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { escapeHtml } from './html.js';
import { NO_SNIFF } from './no-sniff.js';

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --quiet: #57606a; --line: #8c959f; --accent: #0550ae; --on-accent: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --paper: #0d1117; --quiet: #a5b0bc; --line: #6e7681; --accent: #79c0ff; --on-accent: #0d1117; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 30rem; margin: 0 auto; padding: 1.5rem 1rem; }
h1 { font-size: 1.35rem; line-height: 1.3; margin: 0 0 1rem; }
dt { color: var(--quiet); font-size: .875rem; }
dd { margin: 0 0 .75rem; font-weight: 600; }
dd ul { margin: 0; padding-left: 1.2rem; }
p { margin: 0 0 1rem; }
form { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.5rem 0 0; }
button { flex: 1 1 8rem; min-height: 3rem; padding: .5rem 1rem; font: inherit; font-weight: 600; border: 2px solid var(--line); border-radius: .5rem; background: var(--paper); color: var(--ink); cursor: pointer; }
button[value=allow] { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
`;

/**
 * Forbids scripts, frames and everything from other hosts. There is no `form-action`: browsers also apply it to redirects after the
 * form, and a login may redirect over any host.
 */
const HEADERS = Object.freeze({
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; frame-ancestors 'none'`,
  'x-frame-options': 'DENY',
  ...NO_SNIFF,
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
});

/**
 * Answers with an HTML page for a person. All pages share one style and one Content-Security-Policy.
 *
 * @param content HTML, in which every value has been escaped.
 * @param heading HTML, likewise escaped. Default: the title.
 */
export function replyPage(
  res: ServerResponse,
  status: number,
  title: string,
  content: string,
  heading = escapeHtml(title),
): void {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">`;
  const html = `<!doctype html><html lang="en"><head>${head}<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body><main><h1>${heading}</h1>${content}</main></body></html>`;
  res.statusCode = status;
  for (const [name, value] of Object.entries(HEADERS)) res.setHeader(name, value);
  res.setHeader('content-length', Buffer.byteLength(html));
  res.end(res.req.method === 'HEAD' ? undefined : html);
}
