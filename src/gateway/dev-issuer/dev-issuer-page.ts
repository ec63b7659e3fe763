import type { ServerResponse } from 'node:http';
import { escapeHtml, nameToHtml } from '../../http/html.js';
import { replyPage } from '../../http/page.js';

/** One button. It cannot be framed, so that no other page can have it pressed. */
export function replyLoginPage(
  res: ServerResponse,
  { name, redirectUri }: { readonly name: string | undefined; readonly redirectUri: string },
): void {
  const { host, protocol } = new URL(redirectUri);
  const target = host === '' ? protocol : host;
  const content = `<p><strong>${nameToHtml(name) ?? 'A client without a name'}</strong> wants a token. It is sent to
<strong>${escapeHtml(target)}</strong>. Go on only if you have just connected that client.</p>
<form method="post"><button>Log in as developer</button></form>`;
  replyPage(res, 200, 'Log in for development', content);
}
