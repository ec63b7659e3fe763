import { canParseUrl } from '../http/can-parse-url.js';
import { isPlainHost } from './plain-host.js';

const MAX_URI_LENGTH = 512;

/** Schemes that a browser handles itself, or that start a program that is not an MCP client, such as a browser that opens any URL. */
const FOREIGN_SCHEMES = new Set(
  (
    'about android-app blob brave chrome chrome-extension data devtools edge feed file filesystem firefox firefox-focus ftp ' +
    'googlechrome googlechromes googlechrome-x-callback http intent itms ' +
    'itms-services jar javascript ldap ldaps livescript magnet mailto mhtml microsoft-edge microsoft-edge-http ' +
    'microsoft-edge-https moz-extension opera-http opera-https res resource search search-ms ' +
    'sftp shell smb sms ssh tel telnet touch-http touch-https vbscript view-source vnc webcal ws wss'
  ).split(' '),
);

/** Windows opens `ms-` schemes with its own programs (`ms-msdt:`, `ms-settings:`); browsers open `web+` ones at any site that registered. */
const FOREIGN_PREFIX = /^(?:ms-|web\+)/;

/**
 * A scheme that an app can register, and two slashes with something after them. One letter would be a Windows drive. After a
 * reversed domain name (RFC 8252, section 7.1) one slash is enough.
 */
const PRIVATE_USE = /^(?:[a-z][a-z\d+-]*[a-z\d]:\/{2,3}[^/?]|[a-z][a-z\d-]*(?:\.[a-z\d][a-z\d-]*)+:\/{1,3}[^/?])/i;

// Only the three hosts of RFC 8252, sections 7.3 and 8.3. `isLoopbackHost()` accepts all of 127.0.0.0/8.
/** The start of an http redirect URI on loopback. Its group is the same without the port. */
export const LOOPBACK = /^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(?::\d{1,5})?(?=[/?]|$)/;

/**
 * True if a client may register this redirect URI: https with a plain host, http on loopback, or a private-use scheme (RFC 8252, section
 * 7), without fragment (RFC 6749, section 3.1.2) and without user name.
 */
export function isAcceptableRedirectUri(text: string): boolean {
  if (text.length > MAX_URI_LENGTH || !/^[\x21-\x7e]+$/.test(text) || /[#\\<>"]/.test(text)) return false;
  const url = canParseUrl(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '') return false;
  if (url.protocol === 'https:') return /^https:\/\/[^/?]/.test(text) && isPlainHost(url.hostname);
  if (url.protocol === 'http:') return LOOPBACK.test(text);
  const scheme = url.protocol.slice(0, -1);
  return !FOREIGN_SCHEMES.has(scheme) && !FOREIGN_PREFIX.test(scheme) && PRIVATE_USE.test(text);
}
