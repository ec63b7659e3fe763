/** The user, as the identity provider describes it. GitHub has `login` and `organizations`, Google `email` and `hd`. */
export type LoginProfile = Readonly<Record<string, unknown>>;

/** The options that every identity provider has. */
export interface LoginRules {
  /**
   * Decides who may log in: returns true, or a promise of it, for each account that may use this server. It runs at every login and
   * refresh. If it throws, the login is refused. In a configuration file, an expression on `profile`: `profile.login == "octocat"`. Required, unless
   * `dangerouslyAllowEveryone`.
   *
   * @default none
   */
  readonly allow?: ((profile: LoginProfile) => boolean | Promise<boolean>) | undefined;
  /** Lets everyone in who has an account at the identity provider. @default false */
  readonly dangerouslyAllowEveryone?: boolean | undefined;
  /** The scopes of the user's own token, as the identity provider names them. @default those that say who the user is */
  readonly scopes?: readonly string[] | undefined;
}

/** GitHub: github.com, or a GitHub Enterprise Server. */
export interface GithubOptions extends LoginRules {
  /** The address of a GitHub Enterprise Server. @default 'https://github.com' */
  readonly url?: string | undefined;
}

/** Google. */
export interface GoogleOptions extends LoginRules {}

/** GitLab: gitlab.com, or a self-hosted server. */
export interface GitlabOptions extends LoginRules {
  /** The address of a self-hosted GitLab. @default 'https://gitlab.com' */
  readonly url?: string | undefined;
}

/** Any other server that follows OAuth 2.0. It must say who the user is: `userinfoEndpoint`, `jwksUri`, or both. */
export interface OAuth2Options extends LoginRules {
  /** The address of the server, and the `iss` of its ID tokens. */
  readonly issuer: string;
  /** The endpoint where users log in. */
  readonly authorizationEndpoint: string;
  /** The endpoint that exchanges codes. */
  readonly tokenEndpoint: string;
  /** The endpoint that answers with the user's profile as JSON. @default none: the ID token says who the user is */
  readonly userinfoEndpoint?: string | undefined;
  /** The address of the keys of its ID tokens. @default none: ID tokens are not read */
  readonly jwksUri?: string | undefined;
  /** The revocation endpoint (RFC 7009). @default none: the user's token is not revoked there */
  readonly revocationEndpoint?: string | undefined;
  /** The member of the profile that identifies the user, and never passes to another one. @default 'sub' */
  readonly subjectClaim?: string | undefined;
}

/** The options of each identity provider. */
export interface IdentityProviders {
  /** GitHub, or a GitHub Enterprise Server. */
  readonly github: GithubOptions;
  /** Google. */
  readonly google: GoogleOptions;
  /** GitLab. */
  readonly gitlab: GitlabOptions;
  /** Any other server. */
  readonly oauth2: OAuth2Options;
}

/** Exactly one identity provider: `{ github: { allow: (profile) => profile.login === 'octocat' } }`. */
export type IdentityProviderOption = {
  [Name in keyof IdentityProviders]: Pick<IdentityProviders, Name> & {
    readonly [Other in Exclude<keyof IdentityProviders, Name>]?: never;
  };
}[keyof IdentityProviders];
