// A configuration with small real repositories in memory and disks in a folder, for tests of jobs.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { filesBeside } from "../../core/config/configFiles.js";
import { readConfig } from "../../core/config/readConfig.js";
import type { RepriseConfig } from "../../core/config/repriseConfig.js";
import type { RunOptions } from "../../core/jobs/completeRun.js";
import type { JobEvent, JobRequest, JobRun, RunRequest } from "../../core/jobs/jobRequest.js";
import { runJob } from "../../core/jobs/runJob.js";
import { runJobs } from "../../core/jobs/runJobs.js";
import type { Warning } from "../../core/repository/warnings.js";
import { noise } from "../support/sampleBytes.js";
import { makeTemporaryFolder } from "../support/temporaryFolder.js";
import { TestRepository, type TestRepositoryOptions } from "../support/testRepository.js";

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export class JobWorld {
  readonly folder: string;
  readonly config: RepriseConfig;
  readonly repositories: ReadonlyMap<string, TestRepository>;
  readonly events: JobEvent[] = [];
  readonly warnings: Warning[] = [];
  /** What secrets of the configuration hold. */
  readonly secrets = new Map<string, string>();
  readonly controller = new AbortController();
  readonly #removeFolder: () => Promise<void>;

  private constructor(
    folder: string,
    config: RepriseConfig,
    repositories: ReadonlyMap<string, TestRepository>,
    removeFolder: () => Promise<void>,
  ) {
    this.folder = folder;
    this.config = config;
    this.repositories = repositories;
    this.#removeFolder = removeFolder;
  }

  /** Its clock stands at 2026-11-21 02:00 UTC. The file is called reprise.yml; each of its repositories is a fresh one. */
  static async make(
    yaml: string,
    options: { disks?: Record<string, Uint8Array>; repository?: TestRepositoryOptions } = {},
  ): Promise<JobWorld> {
    const { path, remove } = await makeTemporaryFolder("jobs");
    const fileName = join(path, "reprise.yml");
    const { disks = { "a.raw": noise(1, 300_000), "b.raw": noise(2, 200_000) } } = options;
    for (const [name, bytes] of Object.entries(disks)) await makeFile(join(path, name), bytes);
    const signal = new AbortController().signal;
    const config = await readConfig(yaml, { fileName, ...filesBeside(fileName, signal) });
    const repositories = new Map<string, TestRepository>();
    for (const { name } of config.repositories) {
      repositories.set(name, await TestRepository.make({ seed: repositories.size + 1, ...options.repository }));
    }
    return new JobWorld(path, config, repositories, remove);
  }

  async close(): Promise<void> {
    await this.#removeFolder();
  }

  get main(): TestRepository {
    return this.repositories.values().next().value as TestRepository;
  }

  get nowMs(): number {
    return this.main.environment.nowMs;
  }

  /** For all of its repositories. */
  pass(ms: number): void {
    for (const { environment } of this.repositories.values()) environment.nowMs += ms;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async writeDisk(name: string, bytes: Uint8Array): Promise<void> {
    await makeFile(this.path(name), bytes);
  }

  get options(): RunOptions {
    const open = async (name: string) => this.repositories.get(name)!.repository;
    return {
      environment: this.main.environment,
      repositories: { open, withoutLocations: (text) => text },
      signal: this.controller.signal,
      onWarning: (warning) => this.warnings.push(warning),
      onEvent: (event) => this.events.push(event),
      gitFolder: null,
      secret: async (reference) => this.secrets.get(reference.kind === "env" ? reference.name : reference.path) ?? "",
    };
  }

  run(job: string, change: Partial<JobRequest> = {}, options: Partial<RunOptions> = {}): Promise<JobRun> {
    const request = { ...MANNER, config: this.config, job, machines: [], scheduledForMs: null, ...change };
    return runJob(request, { ...this.options, ...options });
  }

  runAll(change: Partial<RunRequest> = {}, options: Partial<RunOptions> = {}): Promise<JobRun[]> {
    const request = { ...MANNER, config: this.config, jobs: [], machines: [], due: false, ...change };
    return runJobs(request, { ...this.options, ...options });
  }
}

const MANNER = {
  dryRun: false,
  trigger: "manual",
  executedBy: "tester",
  url: "https://ci.example.com/runs/7",
  reportFolder: null,
  signingKeys: [],
} as const;

async function makeFile(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}
