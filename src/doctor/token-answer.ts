import { REFUSALS, type RefusalCode } from '../core/errors.js';
import { type Finding, type Fix, reporterFor } from './finding.js';
import { isMcpAnswer, type ProbeResponse } from './probe.js';
import { readChallenge } from './read-challenge.js';
import { unexpectedFinding } from './unexpected-answer.js';

/** The verdict of the server on a token. */
export interface TokenAnswer {
  /** `unknown`: it was not asked, or its answer is about something else. */
  readonly verdict: 'accepted' | 'refused' | 'unknown';
  /** The reason, where the server words it as `mcpAuth()` does. */
  readonly code: RefusalCode | undefined;
  /** @param isExplained Whether the lines that follow find a reason to refuse the token. */
  readonly finding: (isExplained: boolean) => Finding;
}

const BLAME = /^(?:invalid_token|invalid_request|insufficient_scope|invalid_dpop_proof)$/;

/** Says of the token what the answer says of it (RFC 6750, section 3.1), and no more: most statuses say nothing. */
export function checkTokenAnswer(answer: ProbeResponse): TokenAnswer {
  const { status, headers } = answer;
  const parameters = readChallenge(headers.get('www-authenticate'))?.parameters;
  const error = parameters?.get('error');
  if (isMcpAnswer(answer))
    return { verdict: 'accepted', code: undefined, finding: () => TOKEN.ok(`accepted (${status})`) };
  if ([400, 401, 403].includes(status) && error !== undefined && BLAME.test(error)) {
    const why = parameters?.get('error_description');
    return {
      verdict: 'refused',
      code: codeOf(why),
      finding: (isExplained) => refused(status, why ?? error, isExplained),
    };
  }
  const finding =
    status === 401
      ? () => UNAUTHORIZED
      : () => unexpectedFinding(ANSWERED, answer, { seen: String(status), affects: NO_ANSWER });
  return { verdict: 'unknown', code: undefined, finding };
}

const TOKEN = reporterFor('token');
const ANSWERED = reporterFor('answer with the token');

const NO_ANSWER = 'Clients get this in the place of an answer; it says nothing of the token.';

/** RFC 6750, section 3.1: every refusal of a token has an `error`. */
const UNAUTHORIZED = ANSWERED.fault(
  '401, without an error that is about the token',
  'A client with this token logs in again, and may get the same answer.',
  {
    code: 'See what answers: the application behind mcpAuth(), or something before it. mcpAuth() says error="invalid_token".',
    file: 'See what answers: something before the gateway, which says error="invalid_token" where it refuses a token.',
  },
);

function refused(status: number, why: string, isExplained: boolean): Finding {
  const fix: Fix = isExplained
    ? 'The lines below say what is wrong with it.'
    : {
        code: 'The lines below find nothing wrong with it: go by what the server says, and by its policy and log.',
        file: 'By this file nothing is wrong with it: see that the running server has this file, and that the token is not revoked.',
      };
  return TOKEN.fault(`refused with ${status}: ${why}`, 'A client with this token logs in again, or gives up.', fix);
}

function codeOf(description: string | undefined): RefusalCode | undefined {
  const codes = Object.keys(REFUSALS) as RefusalCode[];
  return codes.find((code) => REFUSALS[code].description === description);
}

/** For a server that others could listen to. */
export const UNSENT: TokenAnswer = Object.freeze({
  verdict: 'unknown',
  code: undefined,
  finding: () =>
    TOKEN.warning(
      'not sent, since others could read it on the way',
      'What the server says to it is not known.',
      'Serve the MCP server over https.',
    ),
});
