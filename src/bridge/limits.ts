/** What bounds one backend. */
export interface Limits {
  readonly maxSessions: number;
  readonly maxSessionsPerUser: number;
  readonly maxPendingRequests: number;
  readonly maxBodyBytes: number;
  readonly maxMessageBytes: number;
  readonly warm: number;
  readonly idleMs: number;
  readonly expiryGraceMs: number;
  readonly requestTimeoutMs: number;
}
