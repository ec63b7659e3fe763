import type { IssuedToken } from './issued-token.js';
import { isRevokedLogin, type RevokedLogin, rememberRevokedLogin } from './revoked-logins.js';

/** The revocations of issued tokens that one `mcpAuth()` knows, which accepts such tokens. */
export interface RevocationMemory {
  revokeLogin(revoked: RevokedLogin): void;
  /** True if a token with these contents is refused as revoked. */
  isRevoked(contents: IssuedToken): Promise<boolean>;
}

/** Connects the OAuth proxy, which issues tokens, with each `mcpAuth()` of the same policy, which accepts them. */
export type IssuedTokenRevocations = ReturnType<typeof createIssuedTokenRevocations>;

export function createIssuedTokenRevocations() {
  // Held weakly: the policy lives as long as its options object, and an application may replace its middleware.
  let memories: WeakRef<RevocationMemory>[] = [];
  let createOwn: (() => RevocationMemory | undefined) | undefined;
  let own: RevocationMemory | undefined;
  const alive = () => {
    memories = memories.filter((each) => each.deref() !== undefined);
    if (memories.length === 0) {
      own ??= createOwn?.();
      return own === undefined ? [] : [own];
    }
    return memories.flatMap((each) => each.deref() ?? []);
  };
  return {
    add(memory: RevocationMemory): void {
      memories = [...memories, new WeakRef(memory)];
    },
    /** Sets the function that creates a memory if the OAuth proxy is in a process without any `mcpAuth()` of its policy. */
    createIfAlone(create: () => RevocationMemory | undefined): void {
      createOwn = create;
    },
    revokeLogin(revoked: RevokedLogin): void {
      rememberRevokedLogin(revoked);
      for (const memory of alive()) memory.revokeLogin(revoked);
    },
    async isRevoked(contents: IssuedToken): Promise<boolean> {
      if (isRevokedLogin(contents.login)) return true;
      const verdicts = await Promise.all(alive().map((memory) => memory.isRevoked(contents)));
      return verdicts.includes(true);
    },
  };
}
