import { createPrivateKey } from 'node:crypto';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { expiryWarning, validityOf } from '../../src/gateway/certificate-expiry.js';
import { Certificates } from '../../src/gateway/certificates.js';
import { CLIENT, EXPIRED_SERVER, OTHER_CLIENT, SERVER } from '../support/certificates.js';
import { answer, serveFile } from '../support/file-gateway.js';
import { createRecordingLogger } from '../support/recording-logger.js';

/** The certificate of a port, from files in a folder of its own. */
async function startCertificates() {
  const folder = await mkdtemp(join(tmpdir(), 'certificates-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [cert, key, root] = ['cert.pem', 'key.pem', 'root.pem'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await Promise.all([write(cert, SERVER.cert), write(key, SERVER.key), write(root, CLIENT.cert)]);
  const tls = { at: 'tls', cert, key, root, minVersion: undefined, maxVersion: undefined };
  const certificates = new Certificates([{ hostname: '*', tls }] as never);
  return { certificates, files: { cert, key, root }, ...createRecordingLogger() };
}

/** Writes a file with a time that is the same for all files. */
async function write(file: string, content: string): Promise<void> {
  await writeFile(file, content);
  await utimes(file, 1_000, 1_000);
}

test('a file that changes is used, though its time stays the same', async () => {
  const { certificates, files, logger, lines } = await startCertificates();
  await write(files.root, OTHER_CLIENT.cert);
  certificates.refresh(logger);
  expect(certificates.fallback.authorities).toBe(OTHER_CLIENT.cert);
  await write(files.cert, CLIENT.cert);
  await write(files.key, CLIENT.key);
  certificates.refresh(logger);
  expect(certificates.fallback.options.cert).toBe(CLIENT.cert);
  expect(lines).toEqual(['info tls: read the new certificate', 'info tls: read the new certificate']);
});

test('a file whose time alone changes is not used again, and a broken or missing one is reported once', async () => {
  const { certificates, files, logger, lines } = await startCertificates();
  const check = () => {
    for (let i = 0; i < 2; i += 1) certificates.refresh(logger);
    return lines.splice(0);
  };
  await utimes(files.cert, 1, 1);
  expect(check()).toEqual([]);
  await writeFile(files.key, OTHER_CLIENT.key);
  expect(check()).toEqual([
    expect.stringMatching(/^error tls: cert and key cannot be used: .*The previous certificate stays in use$/),
  ]);
  await rm(files.key);
  expect(check()).toEqual([
    expect.stringMatching(/^error tls: .*the file does not exist\. The previous certificate stays in use$/),
  ]);
  expect(certificates.fallback.options.cert).toBe(SERVER.cert);
  await writeFile(files.key, SERVER.key);
  expect(check()).toEqual(['info tls: read the new certificate']);
});

test('an expired certificate is served with a warning, once a day, and again if another one has expired too', async () => {
  const { certificates, files, logger, lines } = await startCertificates();
  const warning = 'warn tls: the certificate has expired on 2021-01-01T00:00Z: clients refuse it. Renew it';
  await write(files.cert, EXPIRED_SERVER.cert);
  await write(files.key, EXPIRED_SERVER.key);
  for (let i = 0; i < 2; i += 1) certificates.refresh(logger);
  expect(lines.splice(0)).toEqual(['info tls: read the new certificate', warning]);
  await write(files.key, `${EXPIRED_SERVER.key}\n`);
  certificates.refresh(logger);
  expect(lines.splice(0)).toEqual(['info tls: read the new certificate', warning]);
  await write(files.cert, SERVER.cert);
  await write(files.key, SERVER.key);
  certificates.refresh(logger);
  expect(lines).toEqual(['info tls: read the new certificate']);
});

test('a start warns of an expired certificate, of each listener', async () => {
  const { files } = await startCertificates();
  await write(files.cert, EXPIRED_SERVER.cert);
  await write(files.key, EXPIRED_SERVER.key);
  const tls = { cert: files.cert, key: files.key };
  const listeners = ['a.example', 'b.example'].map((hostname) => ({
    hostname,
    protocol: 'HTTPS',
    tls,
    routes: [{ policies: answer('x') }],
  }));
  const { lines } = await serveFile({ binds: [{ port: 0, listeners }] });
  const warned = lines.filter((line) => line.includes('the certificate has expired'));
  expect(warned.map((line) => line.split(': ')[0])).toEqual([
    'warn binds[0].listeners[0].tls',
    'warn binds[0].listeners[1].tls',
  ]);
});

const at = (text: string) => Date.parse(text);
const MONTHS = { fromMs: at('2026-01-01T00:00Z'), toMs: at('2026-04-01T00:00Z') };
const DAYS = { fromMs: at('2026-01-01T00:00Z'), toMs: at('2026-01-07T00:00Z') };

test.each<[what: string, validity: typeof DAYS, now: string, warning: string | undefined]>([
  ['of three months, after two', MONTHS, '2026-03-01T00:00Z', undefined],
  [
    'of three months, 13 days before its end',
    MONTHS,
    '2026-03-19T00:00Z',
    'expires on 2026-04-01T00:00Z: renew it before',
  ],
  [
    'of three months, after its end',
    MONTHS,
    '2026-04-01T00:01Z',
    'has expired on 2026-04-01T00:00Z: clients refuse it. Renew it',
  ],
  ['before it begins', MONTHS, '2025-12-31T23:59Z', 'is not valid before 2026-01-01T00:00Z: clients refuse it'],
  ['of six days, two before its end', DAYS, '2026-01-05T00:00Z', undefined],
  [
    'of six days, some hours before its end',
    DAYS,
    '2026-01-06T12:00Z',
    'expires on 2026-01-07T00:00Z: renew it before',
  ],
])('a certificate %s', (_what, validity, now, warning) => {
  expect(expiryWarning(validity, at(now))).toBe(warning && `the certificate ${warning}`);
});

test('the time of a certificate is read from its file', () => {
  const pem = `${EXPIRED_SERVER.key}\n${EXPIRED_SERVER.cert}\n${SERVER.cert}`;
  expect(validityOf(pem)).toEqual({ fromMs: at('2020-01-01T00:00Z'), toMs: at('2021-01-01T00:00Z') });
});

const locked = createPrivateKey(SERVER.key).export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'secret',
});

test.each([
  [
    'a key with a passphrase',
    { key: `${locked}` },
    'key cannot be used: the key in KEY has a passphrase. Write it without one: "openssl pkey -in OLD -out NEW"',
  ],
  ['a key that is none', { key: 'x' }, 'key cannot be used: KEY has no private key in PEM'],
  [
    'the key in place of the certificate',
    { cert: SERVER.key, key: SERVER.cert },
    'cert cannot be used: CERT has no certificate in PEM: cert and key may be swapped',
  ],
  [
    'the certificate in place of the key',
    { key: SERVER.cert },
    'key cannot be used: KEY has no private key in PEM: cert and key may be swapped',
  ],
  [
    'the key of another certificate',
    { key: OTHER_CLIENT.key },
    'cert and key cannot be used: the key in KEY is not that of the certificate in CERT',
  ],
  ['a root without a certificate', { root: 'x' }, 'root cannot be used: ROOT has no certificate in PEM'],
])('the message about %s names its file', async (_what, texts, problem) => {
  const { certificates, files, logger, lines } = await startCertificates();
  for (const [name, text] of Object.entries(texts)) await write(files[name as keyof typeof files], text);
  certificates.refresh(logger);
  const named = Object.entries(files).reduce((all, [name, file]) => all.replace(name.toUpperCase(), file), problem);
  expect(lines).toEqual([`error tls: ${named}. The previous certificate stays in use`]);
});
