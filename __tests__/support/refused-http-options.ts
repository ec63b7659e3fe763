import { CLIENT, OTHER_CLIENT, SERVER } from './certificates.js';
import { REFUSED_CALLER_TOKENS } from './refused-caller-tokens.js';

const url = 'https://mcp.example/mcp';
const callerToken = { issuer: 'https://gateway.example/callers' };
const WHO = 'mcpHttpBackend(): option';
const RETRY = 'Write { attempts: 3, backoffMs: 500, codes: [502, 503] }.';

/** Options that `mcpHttpBackend()` refuses, and what it says of them. Each secret in them is called `secret`. */
export const REFUSED_HTTP_OPTIONS: readonly [name: string, options: unknown, message: string][] = [
  [
    'nothing',
    undefined,
    `${WHO} "options" must be an object, but got undefined. Write app.use(mcpHttpBackend({ url: "https://mcp.example.com/mcp" })).`,
  ],
  [
    'the middleware without a call',
    { headers: {}, url: '/' },
    'an object, not a request: app.use(mcpHttpBackend) was written without the call',
  ],
  ['an empty object', {}, `${WHO} "url" must be a non-empty string, but got undefined. Use https;`],
  ['a path', { url: '/mcp' }, `${WHO} "url" must be an https URL, but got "/mcp".`],
  [
    'another scheme',
    { url: 'ftp://mcp.example/mcp' },
    `${WHO} "url" must be an https URL, but got "ftp://mcp.example/mcp".`,
  ],
  [
    'http to another machine',
    { url: 'http://mcp.example/mcp' },
    `${WHO} "url" must be an https URL, but got "http://mcp.example/mcp". Use https; plain http is accepted from localhost only, unless dangerouslyAllowHttp is true.`,
  ],
  [
    'the same, with a key in its query',
    { url: 'http://mcp.example/mcp?key=secret' },
    `${WHO} "url" must be an https URL. Use https;`,
  ],
  [
    'a URL with a password',
    { url: 'https://a:secret@mcp.example' },
    `${WHO} "url" must be a URL without user and password. Use`,
  ],
  ['a URL with a fragment', { url: `${url}#secret` }, `${WHO} "url" must be a URL without a fragment. Remove`],
  [
    'a URL object',
    { url: new URL('http://localhost:8000/mcp?key=secret') },
    `${WHO} "url" must be a string, not a URL object. Write its href: url.href.`,
  ],
  ...[
    ['localhost:8000/mcp', 'http://localhost:8000/mcp'],
    ['127.0.0.1/mcp', 'http://127.0.0.1/mcp'],
    ['[::1]:8000/mcp', 'http://[::1]:8000/mcp'],
    ['mcp.example.com', 'https://mcp.example.com'],
    ['mcp.example.com:8443/mcp', 'https://mcp.example.com:8443/mcp'],
  ].map(([given, meant]): [string, unknown, string] => [
    `the URL ${given} without a scheme`,
    { url: given },
    `${WHO} "url" must be a URL with its scheme, but got "${given}". Write "${meant}".`,
  ]),
  [
    'a URL without a scheme, with a password',
    { url: 'ada:secret@mcp.example.com' },
    `${WHO} "url" must be an https URL`,
  ],
  ['the name of other proxies', { target: url }, 'url'],
  ['a slip', { uri: url }, 'Did you mean "url"?'],
  ['another slip', { url, header: {} }, 'Did you mean "headers"?'],
  [
    'headers that are a list',
    { url, headers: ['a: secret'] },
    `${WHO} "headers" must be a plain object. Give names and values`,
  ],
  [
    'a header name with a blank',
    { url, headers: { 'x user': 'a' } },
    `${WHO} "headers" must be names of headers that an application may set, but got "x user".`,
  ],
  [
    'a header with a line end',
    { url, headers: { 'x-user': 'secret\r\nx: y' } },
    `${WHO} "headers.x-user" must be a string that is valid in a header, without line ends, but got "string".`,
  ],
  [
    'a header that is a number',
    { url, headers: { 'x-user': 7 } },
    `${WHO} "headers.x-user" must be a string that is valid in a header, without line ends, but got "number".`,
  ],
  [
    'a header twice',
    { url, headers: { 'X-User': 'a', 'x-user': 'b' } },
    `${WHO} "headers" must be headers that are named once, but got "x-user". Remove one of them.`,
  ],
  [
    'a header in two spellings',
    { url, headers: { 'x-user': 'a', X_User: 'b' } },
    `${WHO} "headers" must be headers that are named once, but got "X_User". Remove one of them.`,
  ],
  [
    'requestHeaders with another spelling of a header',
    { url, headers: { 'x-user': 'a' }, requestHeaders: ['x-team', 'X_User'] },
    `${WHO} "requestHeaders" must be other headers than those in headers, but got "x_user". Remove it: servers`,
  ],
  ...[
    'Host',
    'content-length',
    'Transfer-Encoding',
    'connection',
    'Mcp-Session-Id',
    'Accept-Encoding',
    'Mcp_Session_Id',
  ].map((name): [string, unknown, string] => [
    `the header ${name}`,
    { url, headers: { [name]: 'a' } },
    `${WHO} "headers" must be names of headers that an application may set, but got "${name.toLowerCase()}".`,
  ]),
  [
    'a bearer with its scheme',
    { url, bearer: 'Bearer secret' },
    `${WHO} "bearer" must be a token, without "Bearer" and spaces. Give the token alone.`,
  ],
  ['an empty bearer', { url, bearer: '' }, `${WHO} "bearer" must be a token`],
  [
    'bearer and callerToken',
    { url, bearer: 'secret', callerToken },
    `${WHO} "bearer" must be left out with callerToken. Only one of`,
  ],
  [
    'bearer and the header',
    { url, bearer: 'secret', headers: { Authorization: 'secret' } },
    `${WHO} "headers" must be without Authorization. Only one of`,
  ],
  [
    'callerToken and the header',
    { url, callerToken, headers: { Authorization: 'secret' } },
    `${WHO} "headers" must be without Authorization. Only one of`,
  ],
  ...REFUSED_CALLER_TOKENS,
  [
    'ca that is a path',
    { url, ca: '/etc/ca.pem' },
    `${WHO} "ca" must be a text in PEM. Give the contents of the file.`,
  ],
  [
    'ca that cannot be read',
    { url, ca: '-----BEGIN CERTIFICATE-----\nsecret\n-----END CERTIFICATE-----' },
    `${WHO} "ca" must be certificates that can be read. Look`,
  ],
  ['a list of ca with something else', { url, ca: [SERVER.cert, 7] }, `${WHO} "ca[1]" must be a text in PEM.`],
  ['cert without key', { url, cert: CLIENT.cert }, `${WHO} "key" must be given with cert. Give both, or neither.`],
  ['key without cert', { url, key: CLIENT.key }, `${WHO} "cert" must be given with key. Give both, or neither.`],
  [
    'cert with the key of another',
    { url, cert: CLIENT.cert, key: OTHER_CLIENT.key },
    `${WHO} "cert" must be a certificate that can be read and fits key. Look`,
  ],
  ...[
    'Authorization',
    'cookie',
    'DPoP',
    'X-Forwarded-For',
    'Forwarded',
    'proxy-authorization',
    'Connection',
    'Mcp-Session-Id',
    'host',
    'a b',
    'x_forwarded_for',
    'Proxy_Authorization',
    'mcp_session_id',
  ].map((name): [string, unknown, string] => [
    `requestHeaders with ${name}`,
    { url, requestHeaders: [name] },
    `${WHO} "requestHeaders" must be names of headers that may pass, but got "${name.toLowerCase()}". Remove it:`,
  ]),
  ...[
    'Set-Cookie',
    'WWW-Authenticate',
    'Connection',
    'Transfer-Encoding',
    'content-encoding',
    'proxy-authenticate',
  ].map((name): [string, unknown, string] => [
    `responseHeaders with ${name}`,
    { url, responseHeaders: [name] },
    `${WHO} "responseHeaders" must be names of headers that may pass, but got "${name.toLowerCase()}". Remove it:`,
  ]),
  [
    'requestHeaders that are a text',
    { url, requestHeaders: 'x-team' },
    `${WHO} "requestHeaders" must be an array of non-empty strings, but got "x-team".`,
  ],
  [
    'an empty list of hosts',
    { url, allowedHosts: [] },
    `${WHO} "allowedHosts" must be a list with at least one entry, but got [].`,
  ],
  [
    'a timeout of 0',
    { url, connectTimeoutSeconds: 0 },
    `${WHO} "connectTimeoutSeconds" must be a whole number of at least 1, but got 0. The default is 10.`,
  ],
  [
    'a negative timeout',
    { url, responseTimeoutSeconds: -1 },
    `${WHO} "responseTimeoutSeconds" must be a whole number of at least 0, but got -1. The default is 0.`,
  ],
  [
    'no attempt',
    { url, retry: { attempts: 0 } },
    `${WHO} "retry.attempts" must be a whole number of at least 1, but got 0. ${RETRY}`,
  ],
  [
    'a wait that no timer has',
    { url, retry: { backoffMs: 3_000_000_000 } },
    `${WHO} "retry.backoffMs" must be at most 2147483647, but got 3000000000. ${RETRY}`,
  ],
  [
    'codes that are no list',
    { url, retry: { codes: 503 } },
    `${WHO} "retry.codes" must be a list of statuses, but got 503. ${RETRY}`,
  ],
  [
    'a code of an answer that is good',
    { url, retry: { codes: [503, 200] } },
    `${WHO} "retry.codes[1]" must be a status from 400 to 599, but got 200. ${RETRY}`,
  ],
  [
    'no sessions',
    { url, maxSessions: 0 },
    `${WHO} "maxSessions" must be a whole number of at least 1, but got 0. The default is 10000.`,
  ],
  [
    'a logger without methods',
    { url, logger: {} },
    `${WHO} "logger" must be an object with debug, info, warn and error.`,
  ],
];
