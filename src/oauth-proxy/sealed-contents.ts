import { createSeal, type Seal, type Shape } from '../core/seal.js';

/** A client of ours, as its client id says. */
export interface SealedClient {
  /** As the authorization server behind us knows it. */
  readonly upstreamId: string;
  readonly redirectUris: readonly string[];
  /** What the client calls itself; nobody has checked it. */
  readonly name: string | undefined;
}

/** What the consent page carries to and fro: the request it asks about, and the browser that was asked. */
export interface Question {
  readonly query: string;
  readonly browserId: string;
}

/** A browser that logs in here: what its cookie says. */
export interface Browser {
  readonly id: string;
  /** Fingerprints of what its user has allowed, the latest last. */
  readonly allowed: readonly string[];
}

/** A login under way at the server behind us: what our `state` there says. */
export interface Login {
  readonly browserId: string;
  readonly client: string;
  readonly redirectUri: string;
  readonly state: string | undefined;
  readonly scopes: readonly string[];
  readonly codeChallenge: string;
}

/** An authorization code of ours: whose it is, what its user was asked for, and the server's own. */
export interface SealedCode {
  readonly client: string;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly codeChallenge: string;
  readonly code: string;
}

/** A refresh token of ours: whose it is, what its user was asked for, and the server's own. */
export interface SealedRefreshToken {
  readonly client: string;
  readonly scopes: readonly string[];
  readonly token: string;
}

/** What is sealed here, by purpose. */
export interface SealedContents {
  readonly client: SealedClient;
  readonly consent: Question;
  readonly browser: Browser;
  readonly login: Login;
  readonly code: SealedCode;
  readonly refresh_token: SealedRefreshToken;
}

export type FacadeSeal = Seal<SealedContents>;

const isText = (value: unknown): value is string => typeof value === 'string';
const isTextOrAbsent = (value: unknown): value is string | undefined => value === undefined || isText(value);
const isTextList = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);

const SHAPES: { readonly [P in keyof SealedContents]: Shape<SealedContents[P]> } = {
  client: { upstreamId: isText, redirectUris: isTextList, name: isTextOrAbsent },
  consent: { query: isText, browserId: isText },
  browser: { id: isText, allowed: isTextList },
  login: {
    browserId: isText,
    client: isText,
    redirectUri: isText,
    state: isTextOrAbsent,
    scopes: isTextList,
    codeChallenge: isText,
  },
  code: { client: isText, redirectUri: isText, scopes: isTextList, codeChallenge: isText, code: isText },
  refresh_token: { client: isText, scopes: isTextList, token: isText },
};

/** {@link createSeal} for what is sealed here. */
export function createFacadeSeal(secrets: readonly string[], boundTo: readonly (string | null)[]): FacadeSeal {
  return createSeal(secrets, boundTo, SHAPES);
}
