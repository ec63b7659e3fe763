/** The name of the tracer and of the meter. */
export const INSTRUMENTATION_NAME = 'express-mcp-auth';
