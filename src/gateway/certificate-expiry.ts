import { X509Certificate } from 'node:crypto';

const DAY_MS = 86_400_000;

/** A warning comes this long before the end: certificates of 90 days are usually renewed 30 days before it. */
const SOON_MS = 14 * DAY_MS;
/** Certificates of some days are renewed after half of their lifetime: the warning comes when less than this part is left. */
const SOON_PART = 1 / 6;

/** The time in which a certificate is valid. */
export interface Validity {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Returns that of the first certificate of a PEM file. */
export function validityOf(pem: string): Validity {
  const { validFrom, validTo } = new X509Certificate(pem);
  return { fromMs: Date.parse(validFrom), toMs: Date.parse(validTo) };
}

/** Says that a certificate has expired, expires soon or is not valid yet. Undefined if it is none of these. */
export function expiryWarning({ fromMs, toMs }: Validity, nowMs = Date.now()): string | undefined {
  if (nowMs < fromMs) return `the certificate is not valid before ${dateOf(fromMs)}: clients refuse it`;
  if (nowMs > toMs) return `the certificate has expired on ${dateOf(toMs)}: clients refuse it. Renew it`;
  const isSoon = toMs - nowMs < Math.min(SOON_MS, (toMs - fromMs) * SOON_PART);
  return isSoon ? `the certificate expires on ${dateOf(toMs)}: renew it before` : undefined;
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().replace(/:\d\d\.\d+Z$/, 'Z');
}
