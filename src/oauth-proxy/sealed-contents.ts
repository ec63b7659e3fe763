import { createSeal, type Seal } from '../core/seal.js';

const isText = (value: unknown): value is string => typeof value === 'string';
const isTextOrAbsent = (value: unknown): value is string | undefined => value === undefined || isText(value);
const isTextList = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);
const isTextListOrAbsent = (value: unknown): value is readonly string[] | undefined =>
  value === undefined || isTextList(value);

/** What is sealed here, by purpose, and how each member is recognised. */
const SHAPES = {
  /** A client of ours, as its client id says. */
  client: {
    /** As the authorization server behind us knows it. */
    upstreamId: isText,
    redirectUris: isTextList,
    /** What the client calls itself; nobody has checked it. */
    name: isTextOrAbsent,
  },
  /** What the consent page carries to and fro: the request it asks about, and the browser that was asked. */
  consent: { query: isText, browserId: isText },
  /** A browser that logs in here, as its cookie says; with fingerprints of what its user has allowed, the latest last. */
  browser: { id: isText, allowed: isTextList },
  /** A login under way at the server behind us: what our `state` there says. */
  login: {
    browserId: isText,
    client: isText,
    /** What the client calls itself. */
    name: isTextOrAbsent,
    redirectUri: isText,
    state: isTextOrAbsent,
    scopes: isTextList,
    codeChallenge: isText,
  },
  /** An authorization code of ours: whose it is, what its user was asked for, and the server's own. */
  code: { client: isText, redirectUri: isText, scopes: isTextList, codeChallenge: isText, code: isText },
  /** A refresh token of ours: whose it is, what its user was asked for, what the server gave of it, and the server's own. */
  refresh_token: { client: isText, scopes: isTextList, granted: isTextListOrAbsent, token: isText },
};

type ShapedBy<S> = { readonly [K in keyof S]: S[K] extends (value: unknown) => value is infer T ? T : never };

export type SealedContents = { readonly [Purpose in keyof typeof SHAPES]: ShapedBy<(typeof SHAPES)[Purpose]> };
export type SealedClient = SealedContents['client'];
export type Browser = SealedContents['browser'];
export type Login = SealedContents['login'];

export type FacadeSeal = Seal<SealedContents>;

/** {@link createSeal} for what is sealed here. */
export function createFacadeSeal(secrets: readonly string[], boundTo: readonly (string | null)[]): FacadeSeal {
  return createSeal<SealedContents>(secrets, boundTo, SHAPES);
}
