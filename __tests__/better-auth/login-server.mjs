import { text } from 'node:stream/consumers';
import { ALICE, startBetterAuth } from './better-auth.mjs';

// Starts Better Auth with the pages that an application adds, and prints its issuer. Anyone may register. Argument: the resource.
const [resource] = process.argv.slice(2);
const registration = { allowDynamicClientRegistration: true, allowUnauthenticatedClientRegistration: true };
const { origin } = await startBetterAuth('jwt', resource, registration, answer);

async function answer(req, res) {
  const { pathname, search } = new URL(req.url, origin);
  if (req.method === 'GET') return showForm(res, pathname, search.slice(1));
  const { oauth_query, ...fields } = Object.fromEntries(new URLSearchParams(await text(req)));
  if (pathname === '/login') await relay(req, res, '/sign-in/email', { ...fields, oauth_query });
  else await relay(req, res, '/oauth2/consent', { accept: true, oauth_query });
}

function showForm(res, path, query) {
  const hidden = `<input type="hidden" name="oauth_query" value="${query.replaceAll('&', '&amp;')}">`;
  const shown = path === '/login' ? '<input name="email"><input name="password">' : '<input name="accept">';
  res.setHeader('content-type', 'text/html').end(`<form method="post" action="${path}">${hidden}${shown}</form>`);
}

/** Does what the script of a page does: calls an endpoint of Better Auth, and goes where it says. */
async function relay(req, res, path, body) {
  const response = await fetch(`${origin}/api/auth${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin, cookie: req.headers.cookie ?? '' },
    body: JSON.stringify(body),
  });
  const answered = await response.json();
  const { url } = answered;
  if (url === undefined) return void res.writeHead(400).end(JSON.stringify(answered));
  res.writeHead(303, { location: url, 'set-cookie': response.headers.getSetCookie() }).end();
}

console.log(JSON.stringify({ issuer: `${origin}/api/auth`, user: ALICE }));
