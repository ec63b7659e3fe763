import { generateKeyPairSync } from 'node:crypto';

const url = 'https://mcp.example/mcp';
const callerToken = { issuer: 'https://gateway.example/callers' };
const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey;
const ed25519 = generateKeyPairSync('ed25519');
const WHO = 'mcpHttpBackend(): option';

/** Values of `callerToken` that `mcpHttpBackend()` refuses, and what it says of them. Each secret in them is called `secret`. */
export const REFUSED_CALLER_TOKENS: readonly [name: string, options: unknown, message: string][] = [
  [
    'callerToken without an issuer',
    { url, callerToken: {} },
    `${WHO} "callerToken.issuer" must be a non-empty string, but got undefined.`,
  ],
  [
    'a key as callerToken',
    { url, callerToken: '-----BEGIN PRIVATE KEY-----\nsecret' },
    `${WHO} "callerToken" must be an object. Write { issuer:`,
  ],
  ...['callers', '/callers', 'mcp.example.com/callers', 'urn:callers', 'https://'].map(
    (issuer): [string, unknown, string] => [
      `callerToken with the issuer ${issuer}`,
      { url, callerToken: { issuer } },
      `${WHO} "callerToken.issuer" must be a URL, but got "${issuer}". Write a URL of this server, such as`,
    ],
  ),
  ['callerToken with another member', { url, callerToken: { ...callerToken, isuer: 'x' } }, 'Did you mean "issuer"?'],
  [
    'a text as its key',
    { url, callerToken: { ...callerToken, key: 'secret' } },
    `${WHO} "callerToken.key" must be a private key on P-256, or an Ed25519 key. Make one with "openssl ecparam -name prime256v1 -genkey -noout -out caller-key.pem", and give the text of that file.`,
  ],
  ...['./secret', 'secret.pem', '../keys/secret.key', '/etc/secret', '~/secret.pem', 'C:\\keys\\secret'].map(
    (key): [string, unknown, string] => [
      `the name of a file as its key: ${key}`,
      { url, callerToken: { ...callerToken, key } },
      `${WHO} "callerToken.key" must be a private key, not the name of a file. Read the file: readFileSync(…).`,
    ],
  ),
  [
    'an RSA key',
    { url, callerToken: { ...callerToken, key: rsa } },
    `${WHO} "callerToken.key" must be a private key on P-256`,
  ],
  [
    'a public key',
    { url, callerToken: { ...callerToken, key: ed25519.publicKey } },
    `${WHO} "callerToken.key" must be a private key on P-256`,
  ],
  [
    'a JWK that is public',
    { url, callerToken: { ...callerToken, key: ed25519.publicKey.export({ format: 'jwk' }) } },
    `${WHO} "callerToken.key" must be a private key on P-256`,
  ],
  [
    'a copied claim that is the token’s own',
    { url, callerToken: { ...callerToken, claims: ['email', 'aud'] } },
    `${WHO} "callerToken.claims" must be claims about the caller, but got "aud". Remove it.`,
  ],
];
