import { generateKeyPairSync, sign } from 'node:crypto';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import express from 'express';
import { mcpAuth } from '../dist/index.js';
import { median } from './median.mjs';

// Measures what `sessionOwners` adds to a request: real requests and answers of node:http go through a real Express app, but through no network,
// which would hide some microseconds. Each round measures every kind in turn, and compares it with "off" in the same round.

const ROUNDS = Number(process.env.ROUNDS ?? 7);
const REQUESTS = Number(process.env.REQUESTS ?? 40_000);
const ISSUER = 'https://issuer.example';
const ID = '0e0a8a52-2c1d-4d0e-9d3f-8f0f5d1c7b11';
const SECRET = 's'.repeat(32);
const KINDS = {
  off: { sessionOwners: 'off' },
  remember: {},
  sign: { sessionOwners: 'sign', secret: SECRET },
  'sign, the second of two secrets': { sessionOwners: 'sign', secret: ['n'.repeat(32), SECRET] },
};

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' };
const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
const claims = { iss: ISSUER, aud: 'mcp', sub: 'alice', client_id: 'bench', exp: Math.floor(Date.now() / 1000) + 7200 };
const input = `${encode({ alg: 'ES256', kid: 'k', typ: 'JWT' })}.${encode(claims)}`;
const token = `${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;

function createApp(options) {
  const app = express();
  app.use(mcpAuth({ issuer: ISSUER, audiences: ['mcp'], jwks: { keys: [jwk] }, ...options }));
  // As the transports of the SDKs do, every answer but that of a request without a session names the session.
  app.use('/mcp', (req, res) => {
    const headers = { 'content-type': 'application/json' };
    const answersSession = req.method === 'POST' && req.headers['mcp-protocol-version'] !== '2026-07-28';
    res.writeHead(200, answersSession ? { ...headers, 'mcp-session-id': ID } : headers);
    sessionId = res.getHeader('mcp-session-id') ?? sessionId;
  });
  return app;
}

let sessionId;
const socket = new Socket();

function createRequest(method, headers) {
  const req = new IncomingMessage(socket);
  req.method = method;
  req.url = '/mcp';
  for (const [name, value] of Object.entries(headers)) {
    req.rawHeaders.push(name, value);
    req.headers[name] = value;
  }
  return req;
}

/** One answer's head, to find out the id that a client has. */
function open(app) {
  const req = createRequest('POST', { host: 'mcp.example', authorization: `Bearer ${token}` });
  const res = new ServerResponse(req);
  return new Promise((resolve) => {
    const { writeHead } = res;
    res.writeHead = (status, headers) => {
      resolve(headers['mcp-session-id']);
      return writeHead.call(res, status, headers);
    };
    app(req, res);
  });
}

const common = { host: 'mcp.example', accept: 'application/json', authorization: `Bearer ${token}` };
const SERIES = {
  'GET without a session': () => ['GET', common],
  'POST of 2026-07-28': () => ['POST', { ...common, 'mcp-protocol-version': '2026-07-28' }],
  'POST that opens a session': () => ['POST', common],
  'POST that names a session': (id) => ['POST', { ...common, 'mcp-session-id': id }],
};

/** Microseconds for one request. */
function measure(app, method, headers) {
  const began = process.cpuUsage();
  for (let i = 0; i < REQUESTS; i++) {
    const req = createRequest(method, headers);
    app(req, new ServerResponse(req));
  }
  const { user, system } = process.cpuUsage(began);
  return (user + system) / REQUESTS;
}

const apps = Object.entries(KINDS).map(([kind, options]) => [kind, createApp(options)]);
const ids = await Promise.all(apps.map(([, app]) => open(app)));
// Signed with the second secret: both are tried for each request.
ids[3] = ids[2];

for (const [title, requestFor] of Object.entries(SERIES).filter(
  ([name]) => !process.env.ONLY || name.includes(process.env.ONLY),
)) {
  for (const [i, [, app]] of apps.entries()) measure(app, ...requestFor(ids[i]));
  const rounds = Array.from({ length: ROUNDS }, () => apps.map(([, app], i) => measure(app, ...requestFor(ids[i]))));
  console.log(`\n### ${title}\n| sessionOwners | CPU per request | more than off | times off |\n|---|---|---|---|`);
  for (const [i, [kind]] of apps.entries()) {
    const own = median(rounds.map((round) => round[i]));
    const more = median(rounds.map((round) => round[i] - round[0]));
    const times = median(rounds.map((round) => round[i] / round[0]));
    console.log(`| ${kind} | ${own.toFixed(1)} µs | ${more.toFixed(1)} µs | ${times.toFixed(2)} |`);
  }
}
