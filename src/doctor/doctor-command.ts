import { examine, type Patient } from './doctor.js';
import { type Finding, reporterFor } from './finding.js';
import { fetchErrorOf, probe } from './probe.js';
import { createJsonReport, createTextReport, type Screen } from './report.js';

export interface DoctorOptions {
  readonly patients: readonly Patient[];
  readonly json: boolean;
}

/** Looks at one server after the other, and reports; resolves to whether all of them are without a fault. */
export async function runDoctor({ patients, json }: DoctorOptions, screen: Screen): Promise<boolean> {
  const report = json ? createJsonReport(screen) : createTextReport(screen);
  let isHealthy = true;
  for (const patient of patients) {
    report.begin(patient.url);
    for await (const finding of walk(patient)) {
      report.add(finding);
      if (finding.status === 'fault') isHealthy = false;
    }
  }
  report.end();
  return isHealthy;
}

/** A server that stops answering half-way is a fault like any other. */
async function* walk(patient: Patient): AsyncGenerator<Finding> {
  try {
    yield* examine(patient, probe);
  } catch (error) {
    const { message } = fetchErrorOf(error);
    const fix = 'Look into its log.';
    yield reporterFor('walk').fault(message, 'The server stopped answering half-way.', fix);
  }
}
