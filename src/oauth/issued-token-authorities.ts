import type { IssuedToken } from './issued-token.js';
import { isRevokedLogin, type RevokedLogin, rememberRevokedLogin } from './revoked-logins.js';

/** An `mcpAuth()` that accepts issued tokens. It knows which of them were revoked. */
export interface IssuedTokenAuthority {
  revokeLogin(revoked: RevokedLogin): void;
  /** True if a token with these contents is refused as revoked. */
  isRevoked(contents: IssuedToken): Promise<boolean>;
}

/** Connects the OAuth proxy, which issues tokens, with each `mcpAuth()` of the same policy, which accepts them. */
export type IssuedTokenAuthorities = ReturnType<typeof createIssuedTokenAuthorities>;

export function createIssuedTokenAuthorities() {
  // Held weakly: the policy lives as long as its options object, and an application may replace its middleware.
  let authorities: WeakRef<IssuedTokenAuthority>[] = [];
  let createOwn: (() => IssuedTokenAuthority | undefined) | undefined;
  let own: IssuedTokenAuthority | undefined;
  const alive = () => {
    authorities = authorities.filter((each) => each.deref() !== undefined);
    if (authorities.length === 0) {
      own ??= createOwn?.();
      return own === undefined ? [] : [own];
    }
    return authorities.flatMap((each) => each.deref() ?? []);
  };
  return {
    add(authority: IssuedTokenAuthority): void {
      authorities = [...authorities, new WeakRef(authority)];
    },
    /** Sets the function that creates an authority, and adds it, if the OAuth proxy is in a process without any `mcpAuth()` of its policy. */
    createIfAlone(create: () => IssuedTokenAuthority | undefined): void {
      createOwn = create;
    },
    revokeLogin(revoked: RevokedLogin): void {
      rememberRevokedLogin(revoked);
      for (const authority of alive()) authority.revokeLogin(revoked);
    },
    async isRevoked(contents: IssuedToken): Promise<boolean> {
      if (isRevokedLogin(contents.login)) return true;
      const verdicts = await Promise.all(alive().map((authority) => authority.isRevoked(contents)));
      return verdicts.includes(true);
    },
  };
}
