import { openTelemetryApi } from './open-telemetry-api.js';

// An import without the package fails, and says what to install.
openTelemetryApi();

export { startTelemetry, type Telemetry, type TelemetryOptions } from './start-telemetry.js';
