// What a job of reprise.yml is asked for, what it tells while it goes on, and what it answers. docs/jobs.md.

import type { RepriseConfig } from "../config/repriseConfig.js";
import type { SigningKey } from "../evidence/signingKey.js";
import type { PublishReport } from "../evidenceBranch/publishEvidence.js";
import type { JobTrigger } from "../format/jobRecord.js";
import type { Outcome } from "../format/restoreTestRecord.js";
import type { JobReport } from "../jobReport/jobReport.js";
import type { OnProgress } from "../platform/progress.js";
import type { Environment, Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";
import type { TestEvent } from "../restoreTest/run/testRequest.js";

/** How a job is run; the same for every job of one call. */
export interface RunManner {
  dryRun: boolean;
  trigger: JobTrigger;
  /** Who runs it: a user, a pipeline. */
  executedBy: string;
  /** Where the run can be looked at, or null. */
  url: string | null;
  /** Where reports of restore tests go, in JOB/TEST/MACHINE; null: nowhere. */
  reportFolder: string | null;
  /** Empty: nothing is signed. */
  signingKeys: readonly SigningKey[];
}

export interface JobRequest extends RunManner {
  config: RepriseConfig;
  /** Name of a job of the config. */
  job: string;
  /** Only these machines of the job, and what their tests depend on; empty: all of them. */
  machines: readonly string[];
  /** The run of its schedule that this one makes up for, milliseconds since 1970; null: none. */
  scheduledForMs: number | null;
}

/** Opens repositories of a config by their names, each once (ConfiguredRepositories). Whoever made it closes them. */
export interface RepositorySource {
  open(name: string): Promise<Repository>;
  /** The text without locations that only the environment names. */
  withoutLocations(text: string): string;
}

export interface JobOptions {
  environment: Environment;
  repositories: RepositorySource;
  signal: AbortSignal;
  /** Warnings also become problems of the report. */
  onWarning: OnWarning;
  onProgress?: OnProgress;
  onEvent?: (event: JobEvent) => void;
}

export type JobEvent =
  | { event: "job-started"; job: string; command: string; machines: readonly string[] }
  | { event: "machine-started"; job: string; machine: string }
  | { event: "machine-finished"; job: string; machine: string; outcome: Outcome; reason: string }
  | { event: "test"; job: string; test: string; detail: TestEvent }
  | { event: "job-finished"; job: string; outcome: JobReport["outcome"]; verdict: string };

export interface JobRun {
  report: JobReport;
  /** Signed statements (DSSE envelopes, JSON): tests, and an inventory of each machine that was touched. */
  envelopes: readonly string[];
  /** Why statements are missing among them that the key should have signed; null: none is. */
  evidenceProblem: string | null;
  /** What went to the evidence branch; null: nothing. */
  published: PublishReport | null;
  /** Paths of the files written below `reportFolder`. */
  reportFiles: readonly string[];
}

export interface RunRequest extends RunManner {
  config: RepriseConfig;
  /** Names of jobs, in the order in which they run; with `due`: only those of them that are due. Empty: all of the config. */
  jobs: readonly string[];
  machines: readonly string[];
  /** Only what is due by schedule and history. */
  due: boolean;
}

export interface StatusRequest {
  /** Null: nothing is expected; every machine of the repository is shown. */
  config: RepriseConfig | null;
  /** Of the config; null with no config. */
  repository: string | null;
  /** Empty: all. */
  machines: readonly string[];
  url: string | null;
}
