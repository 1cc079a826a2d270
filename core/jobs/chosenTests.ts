// Restore tests that are asked for by name, and no job has them together: a job that only stands for them.

import type { RepriseConfig } from "../config/repriseConfig.js";
import { RepriseError } from "../errors.js";

/** Its name, in reports and records. */
const CHOSEN_TESTS = "chosen-tests";

/**
 * The config with a job of these tests (all of the file, for none), in the repository that is named, else that of its first
 * restore-test job, or else the only one; and the name of that job. RESTORE_TEST_UNKNOWN, REPOSITORY_UNKNOWN.
 */
export function withChosenTests(
  config: RepriseConfig,
  tests: readonly string[],
  repository: string | null = null,
): { config: RepriseConfig; job: string } {
  const known = config.restoreTests.map(({ name }) => name);
  const unknown = tests.find((name) => !known.includes(name));
  if (unknown !== undefined || known.length === 0) throw testUnknown(unknown, config.fileName, known);
  const like = config.jobs.find((job) => {
    return job.command === "restore-test" && (repository === null || job.repository === repository);
  });
  const frame = { description: "", schedule: null, timeZone: config.timeZone, notify: [], line: like?.line ?? 1 };
  const place = repository ?? like?.repository ?? onlyRepository(config);
  const job = { ...frame, name: CHOSEN_TESTS, repository: place, command: "restore-test" as const, tests };
  const others = config.jobs.filter(({ name }) => name !== CHOSEN_TESTS);
  return { config: { ...config, jobs: [...others, job] }, job: CHOSEN_TESTS };
}

function testUnknown(name: string | undefined, fileName: string, known: readonly string[]): RepriseError {
  const message = name === undefined ? `${fileName} has no restore tests` : `${fileName} has no restore test ${name}`;
  const hint = known.length === 0 ? "add them below restore-tests" : `there are: ${known.join(", ")}`;
  return new RepriseError("usage", "RESTORE_TEST_UNKNOWN", message, { hint });
}

function onlyRepository({ repositories, fileName }: RepriseConfig): string {
  const [only, ...others] = repositories;
  if (only !== undefined && others.length === 0) return only.name;
  throw new RepriseError(
    "usage",
    "REPOSITORY_UNKNOWN",
    `${fileName} has ${repositories.length} repositories, and no restore-test job says which one is tested`,
    { hint: `add such a job; there are: ${repositories.map(({ name }) => name).join(", ")}` },
  );
}
