import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';

/** Anyone who can read these files can log in as any user. The keys are for development only. */
const PRIVATE = { mode: 0o600 } as const;

/** Makes an ES256 key pair at the first start and a new token at every start. Returns the token's file. */
export async function writeKeysAndToken(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  const privateJwk = await readOrMakeKey(join(directory, 'private-key.json'));
  const { d: _private, ...publicJwk } = privateJwk;
  await writeFile(join(directory, 'jwks.json'), JSON.stringify({ keys: [publicJwk] }, null, 2));

  const tokenFile = join(directory, 'token.jwt');
  await writeFile(tokenFile, await signToken(privateJwk), PRIVATE);
  return tokenFile;
}

async function readOrMakeKey(file: string): Promise<JWK> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  return text === undefined ? await makeKey(file) : parseKey(text, file);
}

async function makeKey(file: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  const named = { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: 'ES256', use: 'sig' };
  await writeFile(file, JSON.stringify(named, null, 2), { ...PRIVATE, flag: 'wx' });
  return named;
}

function parseKey(text: string, file: string): JWK {
  try {
    return JSON.parse(text) as JWK;
  } catch (cause) {
    throw new Error(`${file} is not a key any more: delete it and start again`, { cause });
  }
}

async function signToken(jwk: JWK): Promise<string> {
  // Issuer and audience as config.yaml expects them.
  return new SignJWT({ scope: 'read:all', client_id: 'quickstart' })
    .setProtectedHeader({ alg: 'ES256', kid: jwk.kid ?? '', typ: 'at+jwt' })
    .setIssuer('quickstart.example')
    .setAudience('everything.quickstart.example')
    .setSubject('newcomer')
    .setIssuedAt()
    .setExpirationTime('12h')
    .sign(await importJWK(jwk, 'ES256'));
}
