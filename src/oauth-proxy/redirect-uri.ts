const MAX_URI_LENGTH = 512;

/** Schemes that a browser acts on itself, or that start a program which no MCP client is, such as a browser that opens any address. */
const FOREIGN_SCHEMES = new Set(
  (
    'about android-app blob brave chrome chrome-extension data devtools edge feed file filesystem firefox firefox-focus ftp ' +
    'googlechrome googlechromes googlechrome-x-callback http intent itms ' +
    'itms-services jar javascript ldap ldaps livescript magnet mailto mhtml microsoft-edge microsoft-edge-http ' +
    'microsoft-edge-https moz-extension opera-http opera-https res resource search search-ms ' +
    'sftp shell smb sms ssh tel telnet touch-http touch-https vbscript view-source vnc webcal ws wss'
  ).split(' '),
);

/** Windows and browsers hand these to programs of their own (`ms-msdt:`, `ms-settings:`) or to any site that asked. */
const FOREIGN_PREFIX = /^(?:ms-|web\+)/;

/**
 * A scheme that an app can register for itself, and two slashes with something after them. One letter is a drive to Windows. After a
 * domain name turned round (RFC 8252, section 7.1) one slash is enough.
 */
const PRIVATE_USE = /^(?:[a-z][a-z\d+-]*[a-z\d]:\/{2,3}[^/?]|[a-z][a-z\d-]*(?:\.[a-z\d][a-z\d-]*)+:\/{1,3}[^/?])/i;

// The three of RFC 8252, sections 7.3 and 8.3; not all of 127.0.0.0/8, as `isLoopbackHost()` has it.
const LOOPBACK = /^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(?::\d{1,5})?(?=[/?]|$)/;

/**
 * True if a client may register this redirect URI: https, http on loopback, or a private-use scheme (RFC 8252, section
 * 7), without fragment (RFC 6749, section 3.1.2) and without user.
 */
export function isAcceptableRedirectUri(text: string): boolean {
  if (text.length > MAX_URI_LENGTH || !/^[\x21-\x7e]+$/.test(text) || /[#\\<>"]/.test(text)) return false;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '') return false;
  if (url.protocol === 'https:') return /^https:\/\/[^/?]/.test(text);
  if (url.protocol === 'http:') return LOOPBACK.test(text);
  const scheme = url.protocol.slice(0, -1);
  return !FOREIGN_SCHEMES.has(scheme) && !FOREIGN_PREFIX.test(scheme) && PRIVATE_USE.test(text);
}

/**
 * The registered redirect URI that this one is: byte for byte, but for the port of a loopback address, which a client
 * learns only when it listens (RFC 8252, section 7.3).
 */
export function registeredRedirectUri(given: string, registered: readonly string[]): string | undefined {
  // A port that no URL can have would pass for one of loopback.
  if (!isAcceptableRedirectUri(given)) return undefined;
  return registered.includes(given)
    ? given
    : registered.find((uri) => LOOPBACK.test(uri) && withoutPort(uri) === withoutPort(given));
}

function withoutPort(uri: string): string {
  return uri.replace(LOOPBACK, '$1');
}

/** @param allowed Undefined: all of them. `https://host/*` stands for every address of that host. */
export function isAllowedRedirectUri(uri: string, allowed: readonly string[] | undefined): boolean {
  if (allowed === undefined || registeredRedirectUri(uri, allowed) !== undefined) return true;
  return allowed.some((entry) => entry.endsWith('/*') && uri.startsWith(entry.slice(0, -1)));
}

/** True if what is sent there leaves both this server's host and the user's computer. */
export function isForeignHttps(redirectUri: string, ourHost: string): boolean {
  const { protocol, host } = new URL(redirectUri);
  return protocol === 'https:' && host !== ourHost;
}

/** Adds parameters to a redirect URI and leaves every byte of it as the client registered it. */
export function withParameters(uri: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return `${uri}${uri.includes('?') ? '&' : '?'}${new URLSearchParams(given)}`;
}
