import { openTelemetryApi } from './open-telemetry-api.js';

// If the package is missing, the import fails at once and says what to install.
openTelemetryApi();

export { startTelemetry, type Telemetry, type TelemetryOptions } from './start-telemetry.js';
