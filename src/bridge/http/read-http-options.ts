import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AuthInfo } from '../../core/auth-info.js';
import { lowerAscii } from '../../http/lower-ascii.js';
import { isPlain, type OptionChecks } from '../../options/checks.js';
import type { OptionReader } from '../../options/option-table.js';
import type { TargetAddress } from '../../targets/http/dispatcher.js';
import type { HeaderRecord } from '../../targets/http/exchange.js';
import { foldHeaderName, isHeaderValue, mayBeSet } from './header-rules.js';

type Pem = string | Buffer;

/** The token of a `Bearer` credential (RFC 6750, section 2.1). */
const BEARER = /^[A-Za-z0-9._~+/-]+=*$/;

export function requireBearer(checks: OptionChecks, value: unknown, option: string): string {
  if (typeof value === 'string' && BEARER.test(value)) return value;
  return checks.refuseUnquoted(option, 'a token, without "Bearer" and spaces', 'Give the token alone.');
}

/** Checks one header that the application sets. The messages do not quote its value, which may be a secret. */
export function requireHeader(checks: OptionChecks, option: string, name: string, value: unknown): string | undefined {
  if (!mayBeSet(name)) {
    checks.refuse(option, 'names of headers that an application may set', name, 'Correct the name, or remove it.');
  }
  if (value === undefined || (typeof value === 'string' && isHeaderValue(value))) return value;
  const expected = 'a string that is valid in a header, without line ends';
  return checks.refuse(`${option}.${name}`, expected, typeof value, 'Convert it to a string.');
}

/** The function of the application. Its result is checked at each call. */
export type HeaderFunction = (auth: AuthInfo | undefined, req?: IncomingMessage) => unknown;

/** Reads the option `headers`. */
export function requireHeaders(checks: OptionChecks, value: unknown, option: string): HeaderRecord | HeaderFunction {
  if (typeof value === 'function') return value as HeaderFunction;
  return requireHeaderRecord(checks, value, option);
}

/** Checks headers that were configured, or that the function returned. */
export function requireHeaderRecord(checks: OptionChecks, value: unknown, option: string): HeaderRecord {
  const fix = 'Give names and values: { "x-user": "…" }.';
  const given = isPlain(value) ? value : checks.refuseUnquoted(option, 'a plain object', fix);
  const headers = new Map<string, string | undefined>();
  const folded = new Set<string>();
  for (const [name, text] of Object.entries(given)) {
    const lower = lowerAscii(name);
    const { size } = folded.add(foldHeaderName(lower));
    if (size === headers.size) checks.refuse(option, 'headers that are named once', name, 'Remove one of them.');
    headers.set(lower, requireHeader(checks, option, lower, text));
  }
  return headers;
}

/** Creates the reader of a list of forwarded headers. */
export function headerNames(mayPass: (name: string) => boolean): OptionReader<readonly string[]> {
  return (checks, value, option) => {
    const names = checks.strings(value, option, 'Name the headers that pass.').map(lowerAscii);
    const wrong = names.find((name) => !mayPass(name));
    if (wrong === undefined) return names;
    const fix = 'Remove it: it is about a connection or a login, or this server writes it.';
    return checks.refuse(option, 'names of headers that may pass', wrong, fix);
  };
}

/** Reads a certificate or a key in PEM. `requireCertificate()` checks that it can be used. */
export function requirePem(checks: OptionChecks, value: unknown, option: string): Pem {
  if ((typeof value === 'string' || Buffer.isBuffer(value)) && value.includes('-----BEGIN ')) return value;
  // A key must not be quoted.
  return checks.refuseUnquoted(option, 'a text in PEM', 'Give the contents of the file.');
}

/** Reads one or several certificates in PEM. */
export function requirePems(checks: OptionChecks, value: unknown, option: string): readonly Pem[] {
  if (!Array.isArray(value)) return [requirePem(checks, value, option)];
  return value.map((one, index) => requirePem(checks, one, `${option}[${index}]`));
}

/**
 * Refuses certificates and keys that would fail with every connection.
 *
 * @param path The option whose members they are, with a dot; empty for the argument itself.
 * @param caName The user's name of the option `ca`.
 */
export function requireCertificate(
  checks: OptionChecks,
  { ca, cert, key }: Partial<Pick<TargetAddress, 'ca' | 'cert' | 'key'>>,
  path = '',
  caName = 'ca',
): void {
  if (cert !== undefined && key === undefined)
    checks.refuseUnquoted(`${path}key`, 'given with cert', 'Give both, or neither.');
  if (key !== undefined && cert === undefined)
    checks.refuseUnquoted(`${path}cert`, 'given with key', 'Give both, or neither.');
  const fix = 'Look at it with "openssl x509 -text".';
  if (ca !== undefined && !ca.every(isCertificate))
    checks.refuseUnquoted(path + caName, 'certificates that can be read', fix);
  // Not imported: an import of this package should not wait for it.
  const { createSecureContext } = process.getBuiltinModule('node:tls');
  if (cert !== undefined && !succeeds(() => createSecureContext({ cert, key }))) {
    checks.refuseUnquoted(`${path}cert`, 'a certificate that can be read and fits key', fix);
  }
}

/** Checks the first certificate of a text. */
function isCertificate(pem: Pem): boolean {
  return succeeds(() => new X509Certificate(pem));
}

/** Returns false if `read` throws. */
function succeeds(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    // The message of the error may quote a secret.
    return false;
  }
}
