import type { ServerResponse } from 'node:http';
import { escapeHtml, nameToHtml } from '../../http/html.js';

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
};
const STYLE =
  ':root{color-scheme:light dark}body{max-width:30rem;margin:2rem auto;padding:0 1rem;font:1rem/1.5 system-ui,sans-serif;' +
  'overflow-wrap:anywhere}button{min-height:3rem;width:100%;font:inherit;font-weight:600}';

/** One button. It cannot be framed, so that no other page can have it pressed. */
export function replyLoginPage(
  res: ServerResponse,
  { name, redirectUri }: { readonly name: string | undefined; readonly redirectUri: string },
): void {
  const { host, protocol } = new URL(redirectUri);
  const target = host === '' ? protocol : host;
  const html = `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Log in for development</title>
<style>${STYLE}</style><h1>Log in for development</h1>
<p><strong>${nameToHtml(name) ?? 'A client without a name'}</strong> wants a token. It is sent to
<strong>${escapeHtml(target)}</strong>. Go on only if you have just connected that client.</p>
<form method="post"><button>Log in as developer</button></form></html>`;
  res.writeHead(200, HEADERS).end(html);
}
