const express = require('express');
const api = require('express-mcp-auth');
const { answersOf } = require('./answers.cjs');

const { mcpAuth, protectedResourceMetadata } = api;
const policy = { issuer: 'https://issuer.example', resourceMetadata: { resource: 'http://localhost/mcp' } };
const app = express().use(mcpAuth(policy), protectedResourceMetadata(policy));
answersOf(app).then((answers) => console.log(JSON.stringify({ names: Object.keys(api).sort(), answers })));
