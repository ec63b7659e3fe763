import express from 'express';
import request from 'supertest';
import { expect, test } from 'vitest';
import { type McpAuthOptions, mcpAuth } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';

const resource = 'https://mcp.example/mcp';
const one = createTestIssuer({ issuer: 'https://one.test' });
const two = createTestIssuer({ issuer: 'https://two.test' });
const issuers = [one, two].map((each) => {
  const { issuer, jwks } = each.policy({ resource });
  return { issuer, jwks };
});
const policy: McpAuthOptions = { issuers, resourceMetadata: { resource } };

const app = express().use(mcpAuth(policy), (_req, res) => void res.end());
const statusOf = async (token: string) => (await request(app).get('/mcp').auth(token, { type: 'bearer' })).status;

test.each([one, two])('a policy of two test issuers accepts the tokens of each', async (issuer) => {
  expect(await statusOf(issuer.token())).toBe(200);
  expect(await statusOf(issuer.forgedToken())).toBe(401);
});
