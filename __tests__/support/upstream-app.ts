import express, { type Express, type RequestHandler } from 'express';
import request, { type Response } from 'supertest';
import { getAuth, getUpstreamToken, type McpAuth, type McpAuthOptions, mcpAuth } from '../../src/index.js';
import type { ExchangeKind } from './exchange-endpoints.js';
import { type ExchangeServer, startExchangeServer } from './exchange-server.js';
import { createRecordingLogger } from './recording-logger.js';

/** An app that answers with the caller's own token, or with the error that says why there is none. */
export interface UpstreamApp {
  readonly app: Express;
  readonly auth: McpAuth;
  /** The log of `mcpAuth()`, and the decisions as JSON. */
  readonly lines: string[];
  /** GET with this credential, or none. */
  ask(token?: string): Promise<Response>;
}

/** Answers at any path as {@link UpstreamApp} says. */
const answer: RequestHandler = async (req, res) => {
  try {
    const token = await getUpstreamToken(req);
    res.json({ token, byAuth: (await getUpstreamToken(getAuth(req))) === token });
  } catch (error) {
    const { name, code, message, status, evidence } = error as Record<string, unknown>;
    res.status(500).json({ name, code, message, ...(status !== undefined && { status }), evidence });
  }
};

export function createUpstreamApp(policy: Record<string, unknown>): UpstreamApp {
  const { lines, logger } = createRecordingLogger();
  const onDecision = (decision: unknown) => void lines.push(JSON.stringify(decision));
  const auth = mcpAuth({ logger, onDecision, ...policy } as McpAuthOptions);
  const app = express();
  app.use(auth, answer);
  const ask = async (token?: string) => {
    const call = request(app).get('/mcp');
    return token === undefined ? call : call.set('authorization', `Bearer ${token}`);
  };
  return { app, auth, lines, ask };
}

/** The app in front of an authorization server that exchanges tokens. */
export async function setUpExchange(
  kind: ExchangeKind,
  exchange: Record<string, unknown> = {},
  policy: Record<string, unknown> = {},
): Promise<UpstreamApp & { readonly server: ExchangeServer }> {
  const server = await startExchangeServer(kind);
  return { server, ...createUpstreamApp({ ...server.policy(exchange), ...policy }) };
}
