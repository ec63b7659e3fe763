import { type OutageCode, REFUSALS, type RefusalCode } from '../core/errors.js';
import type { FetchError } from '../upstream/bounded-fetch.js';
import { type Finding, type Fix, reporterFor } from './finding.js';
import { isMcpAnswer, type ProbeResponse } from './probe.js';
import { namedKeySets } from './published-keys.js';
import { parameterOf, readChallenge } from './read-challenge.js';
import { explainConnection, rpcErrorFinding, unexpectedFinding } from './unexpected-answer.js';

/** The verdict of the server on a token. */
export interface TokenAnswer {
  /** `unknown`: the token was not sent, or the answer is about something else. */
  readonly verdict: 'accepted' | 'refused' | 'unknown';
  /** The code of the refusal, if the server describes it as `mcpAuth()` does. */
  readonly code: RefusalCode | undefined;
  readonly finding: (explained: Explained) => Finding;
}

/** The findings that follow give a reason to refuse the token, or none, or the doctor could not check it. */
export type Explained = 'refused' | 'accepted' | 'unchecked';

const TOKEN_ERROR = /^(?:invalid_token|invalid_request|insufficient_scope|invalid_dpop_proof)$/;

/**
 * Reads the verdict on the token from an answer (RFC 6750, section 3.1). Most statuses say nothing about the token.
 *
 * @param keyUrls The URLs of key sets in the metadata of the authorization servers.
 */
export function checkTokenAnswer(answer: ProbeResponse, keyUrls: readonly string[]): TokenAnswer {
  const { status, headers } = answer;
  const challenge = readChallenge(headers.get('www-authenticate'));
  const error = parameterOf(challenge, 'error');
  const rpcError = rpcErrorFinding(TOKEN, '', answer, 'The doctor cannot tell whether the server accepts the token.');
  if (rpcError !== undefined) return { verdict: 'unknown', code: undefined, finding: () => rpcError };
  if (isMcpAnswer(answer))
    return { verdict: 'accepted', code: undefined, finding: () => TOKEN.ok(`accepted (${status})`) };
  if ([400, 401, 403].includes(status) && error !== undefined && TOKEN_ERROR.test(error)) {
    const why = parameterOf(challenge, 'error_description');
    return {
      verdict: 'refused',
      code: codeOf(why),
      finding: (explained) => refused(status, why ?? error, explained),
    };
  }
  if (status === 503 && answer.json?.error === KEYS_UNAVAILABLE) {
    return { verdict: 'unknown', code: undefined, finding: () => keysUnavailable(keyUrls) };
  }
  const finding =
    status === 401
      ? () => UNAUTHORIZED
      : () => unexpectedFinding(ANSWERED, answer, { seen: String(status), affects: NO_ANSWER });
  return { verdict: 'unknown', code: undefined, finding };
}

const TOKEN = reporterFor('token');
const ANSWERED = reporterFor('answer with the token');

const NO_ANSWER = 'Clients get this instead of an answer; it says nothing about the token.';

/** The verdict if no answer came. */
export function unanswered(error: FetchError): TokenAnswer {
  const { seen, fix } = explainConnection(error);
  return { verdict: 'unknown', code: undefined, finding: () => ANSWERED.fault(seen, NO_ANSWER, fix) };
}

const KEYS_UNAVAILABLE: OutageCode = 'key_set_unavailable';

function keysUnavailable(keyUrls: readonly string[]): Finding {
  const fix =
    keyUrls.length > 0 ? namedKeySets(keyUrls) : "Set jwks: { url: … } to the jwks_uri in the issuer's metadata.";
  return ANSWERED.fault(
    `503 (${KEYS_UNAVAILABLE})`,
    'The server cannot read the keys that verify tokens, so it accepts none.',
    `${fix} If it is set, check that the server can read it: its log says what failed.`,
  );
}

/** RFC 6750, section 3.1: every refusal of a token has an `error`. */
const UNAUTHORIZED = ANSWERED.fault(
  '401 without an error about the token',
  'A client with this token logs in again, and may get the same answer.',
  {
    code: 'Find out what answers: the application behind mcpAuth(), or something before it. mcpAuth() sends error="invalid_token".',
    file: 'Find out what answers before the gateway, which sends error="invalid_token" when it refuses a token.',
  },
);

const REFUSED_FIXES: Readonly<Record<Explained, Fix>> = {
  refused: 'The lines below say what is wrong with it.',
  accepted: {
    code: 'The lines below find nothing wrong with it: compare the message with the policy and the log of the server.',
    file: 'This file accepts it: check that the running server has this file, and that the token is not revoked.',
  },
  unchecked: 'The lines below say what the doctor cannot check: compare the message with the log of the server.',
};

function refused(status: number, why: string, explained: Explained): Finding {
  const affects = 'A client with this token logs in again, or gives up.';
  return TOKEN.fault(`refused with ${status}: ${why}`, affects, REFUSED_FIXES[explained]);
}

function codeOf(description: string | undefined): RefusalCode | undefined {
  const codes = Object.keys(REFUSALS) as RefusalCode[];
  return codes.find((code) => REFUSALS[code].description === description);
}

/** For a server on plain http, where others could read the token. */
export const UNSENT: TokenAnswer = Object.freeze({
  verdict: 'unknown',
  code: undefined,
  finding: () =>
    TOKEN.warning(
      'not sent, since others could read it over plain http',
      'The doctor cannot tell whether the server accepts it.',
      'Serve the MCP server over https.',
    ),
});
