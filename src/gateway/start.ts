#!/usr/bin/env node
import { catchReloadSignals } from './reload/reload-signal.js';

// It takes longer to load the command than to start it. Until SIGHUP is caught, it ends the process.
const reloadSignals = catchReloadSignals();
void import('./cli.js').then(({ runCommandLine }) => runCommandLine(reloadSignals));
