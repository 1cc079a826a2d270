// Which jobs of the configuration a step means: those that it names, or all of the command's kind; of the one repository that it names,
// and never of another one.

import { type RepriseConfig, RepriseError, withChosenTests } from "../core/index.js";
import type { Inputs } from "./inputs.js";

export interface ChosenJobs {
  config: RepriseConfig;
  jobs: readonly string[];
}

type Choice = Pick<Inputs, "command" | "jobs" | "tests" | "repository">;

/** Those that are named, else all of the command's kind, else the tests of the input test. JOB_UNKNOWN for none, REPOSITORY_UNKNOWN. */
export function chosenJobs({ command, jobs, tests, repository: name }: Choice, config: RepriseConfig): ChosenJobs {
  const repository = namedRepository(name, config);
  if (repository !== null) checkRepositoryOfJobs(jobs, repository, config);
  if (jobs.length > 0 || command === "run") return { config, jobs };
  const found = config.jobs
    .filter((job) => job.command === command && (repository === null || job.repository === repository))
    .map((job) => job.name);
  if (command === "restore-test" && (tests.length > 0 || found.length === 0)) {
    const chosen = withChosenTests(config, tests, repository);
    return { config: chosen.config, jobs: [chosen.job] };
  }
  if (found.length > 0) return { config, jobs: found };
  const where = repository === null ? "" : ` for the repository ${repository}`;
  throw new RepriseError("usage", "JOB_UNKNOWN", `${config.fileName} has no ${command} job${where}`, {
    hint: "add one below jobs, or name one in the input job",
  });
}

/** Null: none is named. REPOSITORY_UNKNOWN. */
export function namedRepository(name: string, { repositories, fileName }: RepriseConfig): string | null {
  if (name === "") return null;
  if (repositories.some((each) => each.name === name)) return name;
  throw new RepriseError("usage", "REPOSITORY_UNKNOWN", `${fileName} has no repository ${name}`, {
    hint: `there are: ${repositories.map((each) => each.name).join(", ")}; a folder is written with a slash, as in ./${name}`,
  });
}

/** Whoever names both means both. Names of no job are told by whoever runs them. */
function checkRepositoryOfJobs(jobs: readonly string[], repository: string, config: RepriseConfig): void {
  const other = config.jobs.find((job) => jobs.includes(job.name) && job.repository !== repository);
  if (other === undefined) return;
  const message = `the job ${other.name} is of the repository ${other.repository}, not of ${repository}`;
  throw new RepriseError("usage", "JOB_UNKNOWN", message, { hint: "leave out one of the inputs job and repository" });
}
