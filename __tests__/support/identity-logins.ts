import { createHash, randomBytes } from 'node:crypto';

/** A user of the imitated identity providers. */
export interface ImitatedUser {
  readonly number: number;
  readonly login: string;
  readonly name: string;
  readonly email: string;
  /** Organisations at GitHub, groups at GitLab. */
  readonly organizations: readonly string[];
  /** The domain of a Google Workspace. */
  readonly hd?: string;
}

export const ALICE: ImitatedUser = {
  number: 583_231,
  login: 'alice',
  name: 'Alice Example',
  email: 'alice@acme.example',
  organizations: ['acme'],
  hd: 'acme.example',
};

/** A user without organisation, who may not use most servers. */
export const BOB: ImitatedUser = {
  number: 7_001,
  login: 'bob',
  name: 'Bob Other',
  email: 'bob@gmail.example',
  organizations: [],
};

/** The client that the administrator has created there. */
export interface ImitatedClient {
  readonly id: string;
  readonly secret: string;
  readonly redirectUri: string;
}

/** The login of a user, for which a code stands. */
export interface Grant {
  readonly user: ImitatedUser;
  readonly scopes: readonly string[];
  readonly redirectUri: string;
  readonly nonce: string | null;
}

interface Issued extends Grant {
  /** Milliseconds since 1970. */
  readonly expiry: number;
  /** The tokens that came together, or after each other. */
  readonly family: string;
}

/** The codes and tokens of an identity provider. */
export interface Logins {
  /** Finds the user who types this name. */
  userNamed(name: string | null): ImitatedUser | undefined;
  /** A code, with the PKCE challenge of the login. */
  issueCode(grant: Grant, challenge: string | null): string;
  /** Takes a code, which can be used once within ten minutes. Undefined for another code, and if the verifier does not match. */
  takeCode(code: string | null, verifier: string | null): Grant | undefined;
  /** Keeps a token until it expires. */
  keep(token: string, grant: Grant, seconds: number, family?: string): string;
  find(token: string | null | undefined): Issued | undefined;
  forget(token: string): void;
  /** Forgets every token of a family. */
  forgetFamily(family: string): void;
  /** Forgets everything that a user has agreed to, as the user can in the settings there. */
  forgetUser(user: ImitatedUser): void;
}

const CODE_SECONDS = 600;

export function createLogins(users: readonly ImitatedUser[] = [ALICE, BOB]): Logins {
  const codes = new Map<string, { grant: Grant; challenge: string | null; expiry: number }>();
  const tokens = new Map<string, Issued>();
  const forgetWhere = (test: (issued: Issued) => boolean) => {
    for (const [token, issued] of tokens) if (test(issued)) tokens.delete(token);
  };
  return {
    userNamed: (name) => users.find(({ login }) => login === name),
    issueCode(grant, challenge) {
      const code = randomText(20);
      codes.set(code, { grant, challenge, expiry: Date.now() + CODE_SECONDS * 1_000 });
      return code;
    },
    takeCode(code, verifier) {
      const known = codes.get(code ?? '');
      codes.delete(code ?? '');
      if (known === undefined || known.expiry < Date.now()) return undefined;
      const challenge = verifier === null ? null : createHash('sha256').update(verifier).digest('base64url');
      return known.challenge === challenge ? known.grant : undefined;
    },
    keep(token, grant, seconds, family = token) {
      tokens.set(token, { ...grant, family, expiry: Date.now() + seconds * 1_000 });
      return token;
    },
    find(token) {
      const issued = tokens.get(token ?? '');
      return issued !== undefined && issued.expiry > Date.now() ? issued : undefined;
    },
    forget: (token) => void tokens.delete(token),
    forgetFamily: (family) => forgetWhere((issued) => issued.family === family),
    forgetUser: (user) => forgetWhere((issued) => issued.user === user),
  };
}

export function randomText(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

export function splitScopes(scope: string | null): readonly string[] {
  return (scope ?? '').split(' ').filter((name) => name !== '');
}
