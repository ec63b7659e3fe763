import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

// Run this after a deployment. It prints what the doctor would change, and fails if clients cannot log in.
const url = process.argv[2] ?? 'http://localhost:3000/mcp';
const doctor = spawn('npx', ['express-mcp-auth', 'doctor', url, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });

type Finding = { step: string; status: 'ok' | 'warning' | 'fault'; seen: string; fix?: string };
const { servers } = JSON.parse(await text(doctor.stdout)) as { servers: { findings: Finding[] }[] };

const findings = servers.flatMap((server) => server.findings).filter(({ status }) => status !== 'ok');
for (const { step, status, seen, fix } of findings) console.log(`${status}: ${step}: ${seen}. ${fix ?? ''}`);
if (findings.some(({ status }) => status === 'fault')) process.exitCode = 1;
