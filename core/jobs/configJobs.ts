// What jobs of a configuration work on: jobs by their names, and their machines. Pure.

import type { ConfiguredTest, JobConfig, MachineConfig, RepriseConfig } from "../config/repriseConfig.js";
import { RepriseError } from "../errors.js";

export type JobOf<Command extends JobConfig["command"]> = Extract<JobConfig, { command: Command }>;

/** JOB_UNKNOWN. */
export function findJob({ jobs, fileName }: RepriseConfig, name: string): JobConfig {
  const job = jobs.find((candidate) => candidate.name === name);
  if (job !== undefined) return job;
  const known = jobs.length === 0 ? "it has none" : `there are: ${jobs.map((each) => each.name).join(", ")}`;
  throw new RepriseError("usage", "JOB_UNKNOWN", `${fileName} has no job ${name}`, {
    data: { job: name },
    hint: known,
  });
}

/** Machines that a job names, or that its tests do, in their order; empty: it is about the whole repository. */
export function machinesOfJob(config: RepriseConfig, job: JobConfig): string[] {
  if (job.command !== "restore-test") return [...job.machines];
  return [...new Set(testsOfJob(config, job).flatMap(({ spec }) => spec.machines.map(({ machine }) => machine)))];
}

export function testsOfJob({ restoreTests }: RepriseConfig, job: JobOf<"restore-test">): ConfiguredTest[] {
  return restoreTests.filter(({ name }) => job.tests.length === 0 || job.tests.includes(name));
}

/** JOB_MACHINE_UNKNOWN for one that is no machine of the job. A job about the whole repository takes any. */
export function checkMachines(config: RepriseConfig, job: JobConfig, machines: readonly string[]): void {
  const known = machinesOfJob(config, job);
  const unknown = known.length === 0 ? undefined : machines.find((machine) => !known.includes(machine));
  if (unknown === undefined) return;
  throw new RepriseError("usage", "JOB_MACHINE_UNKNOWN", `the job ${job.name} has no machine ${unknown}`, {
    data: { job: job.name, machine: unknown },
    hint: `it has: ${known.join(", ")}`,
  });
}

export function findMachine({ machines }: RepriseConfig, name: string): MachineConfig | undefined {
  return machines.find(({ machine }) => machine === name);
}
