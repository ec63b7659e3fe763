import express from 'express';
import * as api from 'express-mcp-auth';
import { answersOf } from './answers.cjs';

const { mcpAuth, protectedResourceMetadata } = api;
const policy = { issuer: 'https://issuer.example', resourceMetadata: { resource: 'http://localhost/mcp' } };
const app = express().use(mcpAuth(policy), protectedResourceMetadata(policy));
console.log(JSON.stringify({ names: Object.keys(api).sort(), answers: await answersOf(app) }));
