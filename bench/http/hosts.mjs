import { Agent, createServer, request } from 'node:http';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { Pool } from 'undici';
import { mcpAuth, mcpHttpBackend } from '../../dist/index.js';

// The processes that are measured, each started as `node hosts.mjs NAME PORT TARGET JWKS`.
const [name = '', port = '', url = '', file = ''] = process.argv.slice(2);
const auth = () => mcpAuth({ issuer: 'https://issuer.example', audiences: ['bench'], jwks: { file } });

const withoutHop = ({ connection, 'keep-alive': _keepAlive, 'transfer-encoding': _coding, ...headers }) => headers;

const hosts = {
  /** As little as can be on undici: no framework, no token, no sessions. */
  undici: () => {
    const { origin, pathname: path } = new URL(url);
    const pool = new Pool(origin, { headersTimeout: 0, bodyTimeout: 0 });
    return (req, res) => {
      const { method, headers } = req;
      const body = method === 'POST' ? req : null;
      pool.dispatch({ path, method, headers: withoutHop(headers), body }, relayTo(res));
    };
  },
  /** As little as can be on node:http. */
  node: () => {
    const agent = new Agent({ keepAlive: true });
    return (req, res) => {
      const { method, headers } = req;
      const forwarded = request(url, { agent, method, headers: withoutHop(headers) }, (answer) => {
        res.writeHead(answer.statusCode, withoutHop(answer.headers));
        answer.pipe(res);
      });
      res.on('close', () => forwarded.destroy());
      req.pipe(forwarded);
    };
  },
  'http-proxy-middleware': () => {
    const agent = new Agent({ keepAlive: true });
    return express().use('/mcp', auth(), createProxyMiddleware({ target: url, agent }));
  },
  express: () => express().use('/mcp', auth(), mcpHttpBackend({ url, maxPendingRequests: 2_000 })),
};

function relayTo(res) {
  return {
    onRequestStart(controller) {
      res.on('close', () => controller.abort(new Error('the client has gone')));
    },
    onResponseStart(_controller, status, headers) {
      res.writeHead(status, withoutHop(headers));
    },
    onResponseData(controller, chunk) {
      if (res.write(chunk)) return;
      controller.pause();
      res.once('drain', () => controller.resume());
    },
    onResponseEnd: () => res.end(),
    onResponseError: () => res.destroy(),
  };
}

const listener = hosts[name];
if (listener === undefined) throw new Error(`no host is called "${name}"`);
createServer(listener()).listen(Number(port), '127.0.0.1');
process.once('SIGTERM', () => process.exit());
