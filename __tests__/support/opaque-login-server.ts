import { createHash, randomUUID } from 'node:crypto';
import express, { type Request } from 'express';
import { serve } from './loopback-server.js';

export const LOGIN_CLIENT = { id: 'our-app', secret: 'the secret of our app' };

/** The peculiarities of the server. */
export interface OpaqueLoginBehaviour {
  /** Seconds. Without it, tokens do not expire, and have no refresh token, as those of GitHub's OAuth apps. */
  readonly expiresIn?: number;
  /** The behaviour of refreshes; with `none`, a token that expires has no refresh token. */
  readonly refresh?: 'rotates' | 'keeps' | 'none';
  /** The organizations of everyone who logs in. */
  readonly organizations?: readonly string[];
  /** The number of characters that each token is longer, as JWTs are. */
  readonly tokenPadding?: number;
  /** A code can be used more than once. */
  readonly keepsCodes?: boolean;
}

/** A user's token, with what it is good for. */
interface Grant {
  readonly user: string;
  readonly scopes: readonly string[];
}

/** An imitation of GitHub: opaque tokens, errors with status 200, scopes with commas, and no metadata. */
export async function startOpaqueLoginServer(behaviour: OpaqueLoginBehaviour = {}) {
  const state = { user: 'octocat', isDown: false, callback: '', profile: {} as Record<string, unknown> };
  const codes = new Map<string, Grant & { challenge: string }>();
  const [accessTokens, refreshTokens] = [new Map<string, Grant>(), new Map<string, Grant>()];
  const padding = 'x'.repeat(behaviour.tokenPadding ?? 0);
  const requests: { path: string; form: Record<string, string> }[] = [];

  const app = express();
  app.use(express.urlencoded({ extended: false }), express.json());
  app.use((req, res, next) => {
    requests.push({ path: `${req.method} ${req.path}`, form: { ...(req.query as object), ...req.body } });
    if (state.isDown) res.status(503).end();
    else next();
  });

  app.get('/login/oauth/authorize', (req, res) => {
    const { client_id, redirect_uri, state: given, scope = '', code_challenge: challenge = '' } = parametersOf(req);
    if (client_id !== LOGIN_CLIENT.id || redirect_uri !== state.callback) {
      res.status(400).send('unknown client or callback');
      return;
    }
    const code = randomUUID();
    codes.set(code, { user: state.user, scopes: scope.split(' ').filter((name) => name !== ''), challenge });
    res.redirect(`${redirect_uri}?${new URLSearchParams({ code, state: given ?? '' })}`);
  });

  const issue = (grant: Grant, refreshToken: string | undefined) => {
    const token = `gho_${randomUUID()}${padding}`;
    accessTokens.set(token, grant);
    return {
      access_token: token,
      token_type: 'bearer',
      scope: grant.scopes.join(','),
      ...(behaviour.expiresIn === undefined ? {} : { expires_in: behaviour.expiresIn }),
      ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    };
  };
  const newRefreshToken = (grant: Grant) => {
    if (behaviour.refresh === undefined || behaviour.refresh === 'none') return undefined;
    const token = `ghr_${randomUUID()}${padding}`;
    refreshTokens.set(token, grant);
    return token;
  };

  app.post('/login/oauth/access_token', (req, res) => {
    const form = parametersOf(req);
    if (form.client_id !== LOGIN_CLIENT.id || form.client_secret !== LOGIN_CLIENT.secret) {
      res.json({ error: 'incorrect_client_credentials' });
    } else if (form.grant_type === 'refresh_token') {
      const grant = refreshTokens.get(form.refresh_token ?? '');
      if (behaviour.refresh === 'rotates') refreshTokens.delete(form.refresh_token ?? '');
      if (grant === undefined) res.json({ error: 'bad_refresh_token' });
      else res.json(issue(grant, behaviour.refresh === 'rotates' ? newRefreshToken(grant) : undefined));
    } else {
      const grant = codes.get(form.code ?? '');
      if (!behaviour.keepsCodes) codes.delete(form.code ?? '');
      const challenge = createHash('sha256')
        .update(form.code_verifier ?? '')
        .digest('base64url');
      if (grant?.challenge !== challenge) res.json({ error: 'bad_verification_code' });
      else res.json(issue(grant, newRefreshToken(grant)));
    }
  });

  const grantOf = (req: Request) => accessTokens.get(req.headers.authorization?.replace(/^Bearer /, '') ?? '');
  app.get('/api/v3/user', (req, res) => {
    const grant = grantOf(req);
    if (grant === undefined) res.status(401).json({ message: 'Bad credentials' });
    else res.json({ id: idOf(grant.user), login: grant.user, email: `${grant.user}@example.com`, ...state.profile });
  });
  app.get('/api/v3/user/orgs', (req, res) => {
    if (!grantOf(req)?.scopes.includes('read:org')) res.status(403).json({ message: 'Requires read:org' });
    else res.json((behaviour.organizations ?? []).map((login) => ({ login })));
  });
  app.delete('/api/v3/applications/:id/token', (req, res) => {
    const basic = Buffer.from(`${LOGIN_CLIENT.id}:${LOGIN_CLIENT.secret}`).toString('base64');
    if (req.headers.authorization !== `Basic ${basic}`) res.status(401).end();
    else res.status(accessTokens.delete(req.body.access_token) ? 204 : 404).end();
  });

  const origin = await serve(app);
  return { origin, state, requests, accessTokens, refreshTokens };
}

export type OpaqueLoginServer = Awaited<ReturnType<typeof startOpaqueLoginServer>>;

function parametersOf(req: Request): Record<string, string | undefined> {
  return { ...(req.query as Record<string, string>), ...req.body };
}

/** A number for each name, as GitHub has it. */
function idOf(user: string): number {
  return createHash('sha256').update(user).digest().readUInt32BE(0);
}
