import { createPrivateKey, X509Certificate } from 'node:crypto';

/** A file, and the text in it. */
interface ReadFile {
  readonly file: string;
  readonly text: string;
}

/** The files of `tls` or `backendTLS`. */
interface CertificateFiles {
  readonly cert?: ReadFile | undefined;
  readonly key?: ReadFile | undefined;
  readonly root?: ReadFile | undefined;
}

/** Says which file cannot be used, and why: the messages of OpenSSL name no file. Undefined if it finds nothing. */
export function certificateFault({ cert, key, root }: CertificateFiles): string | undefined {
  if (root && !isCertificate(root)) return `root cannot be used: ${root.file} has no certificate in PEM`;
  if (cert && !isCertificate(cert))
    return `cert cannot be used: ${cert.file} has no certificate in PEM${/PRIVATE KEY-/.test(cert.text) ? SWAPPED : ''}`;
  if (key && LOCKED.test(key.text))
    return `key cannot be used: the key in ${key.file} has a passphrase. ${WITHOUT_PASSPHRASE}`;
  if (key && !isPrivateKey(key))
    return `key cannot be used: ${key.file} has no private key in PEM${/CERTIFICATE-/.test(key.text) ? SWAPPED : ''}`;
  if (cert && key && !new X509Certificate(cert.text).checkPrivateKey(createPrivateKey(key.text)))
    return `cert and key cannot be used: the key in ${key.file} is not that of the certificate in ${cert.file}`;
  return undefined;
}

/** A key with a passphrase, in PKCS #8 or in the form before it. */
const LOCKED = /-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m;
const SWAPPED = ': cert and key may be swapped';
const WITHOUT_PASSPHRASE = 'Write it without one: "openssl pkey -in OLD -out NEW"';

function isCertificate({ text }: ReadFile): boolean {
  return succeeds(() => new X509Certificate(text));
}

function isPrivateKey({ text }: ReadFile): boolean {
  return succeeds(() => createPrivateKey(text));
}

function succeeds(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    // OpenSSL's reason does not say what to do; the message above does.
    return false;
  }
}
