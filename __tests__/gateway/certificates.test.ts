import { createPrivateKey } from 'node:crypto';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Certificates } from '../../src/gateway/certificates.js';
import { CLIENT, OTHER_CLIENT, SERVER } from '../support/certificates.js';
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
