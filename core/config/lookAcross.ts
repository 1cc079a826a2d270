// What is no mistake of one part of a configuration, but odd when the parts are seen together: warnings.

import { nextRun } from "../calendar/schedule.js";
import { pointerPart } from "../yaml/yamlDocuments.js";
import type { Building } from "./building.js";
import { hasSources } from "./buildMachines.js";
import type { JobConfig, RepriseConfig } from "./repriseConfig.js";

type Body<Command extends JobConfig["command"]> = Extract<JobConfig, { command: Command }>;

export function lookAcross(config: RepriseConfig, nowMs: number, { warnings }: Building): void {
  const backups = config.jobs.filter((job): job is Body<"backup"> => job.command === "backup");
  const backedUp = new Set(backups.flatMap(({ machines }) => machines));
  const named = new Set(config.machines.map(({ machine }) => machine));
  for (const machine of config.machines) {
    if (!hasSources(machine) || backedUp.has(machine.machine)) continue;
    warnings.addAtKey(`/machines/${pointerPart(machine.machine)}`, `no job of this file backs up ${machine.machine}`);
  }
  config.gates.forEach(({ name, rules }) => {
    rules.forEach(({ machines }, i) => {
      for (const machine of machines.filter((each) => !backedUp.has(each) && isOurs(each, config))) {
        warnings.add(`/gates/${name}/rules/${i}/machines`, `no job of this file backs up ${machine}`);
      }
    });
  });
  config.restoreTests.forEach(({ spec, fileName, name }) => {
    const stranger = spec.machines.find(({ machine }) => !named.has(machine));
    if (stranger === undefined || fileName !== config.fileName) return;
    warnings.add("/restore-tests", `the restore test ${name} tests ${stranger.machine}, which is not below machines`);
  });
  config.jobs.forEach((job) => {
    const isOver = job.schedule !== null && nextRun(job.schedule, nowMs, job.timeZone) === null;
    if (isOver) warnings.add(`/jobs/${job.name}/schedule`, `the schedule of ${job.name} has no run left`);
  });
  warnOfUnused(config, { warnings });
  warnOfTwoRetentions(config, { warnings });
}

/** One that this file says how to back up, or that it names without: then others may do it. */
function isOurs(name: string, { machines }: RepriseConfig): boolean {
  const machine = machines.find((each) => each.machine === name);
  return machine !== undefined && hasSources(machine);
}

function warnOfUnused(
  { repositories, notifications, jobs, gates, restoreTests }: RepriseConfig,
  { warnings }: Pick<Building, "warnings">,
): void {
  const usedRepositories = new Set([
    ...jobs.flatMap((job) => (job.command === "sync" ? [job.repository, job.from] : [job.repository])),
    ...gates.flatMap(({ source }) => source.repository ?? []),
  ]);
  for (const { name } of repositories) {
    if (jobs.length + gates.length > 0 && !usedRepositories.has(name)) {
      warnings.addAtKey(`/repositories/${name}`, `no job and no gate uses the repository ${name}`);
    }
  }
  const told = new Set(jobs.flatMap(({ notify }) => notify.map(({ name }) => name)));
  for (const { name } of notifications) {
    if (!told.has(name)) warnings.addAtKey(`/notifications/${name}`, `no job notifies ${name}`);
  }
  const testJobs = jobs.filter((job): job is Body<"restore-test"> => job.command === "restore-test");
  if (testJobs.length === 0) return;
  const tested = new Set(
    testJobs.flatMap(({ tests }) => (tests.length === 0 ? restoreTests.map(({ name }) => name) : tests)),
  );
  for (const { name } of restoreTests) {
    if (!tested.has(name)) warnings.add("/restore-tests", `no job makes the restore test ${name}`);
  }
}

/** Each forgets what the other wants to keep: the stricter one wins, silently. */
function warnOfTwoRetentions({ jobs, machines }: RepriseConfig, { warnings }: Pick<Building, "warnings">): void {
  const first = new Map<string, { job: string; rules: string }>();
  for (const job of jobs) {
    if ((job.command !== "prune" && job.command !== "backup") || job.retention === null) continue;
    const rules = JSON.stringify(Object.entries(job.retention).sort());
    for (const machine of job.machines.length > 0 ? job.machines : machines.map((each) => each.machine)) {
      const key = `${job.repository} ${machine}`;
      const earlier = first.get(key);
      if (earlier === undefined) first.set(key, { job: job.name, rules });
      else if (earlier.rules !== rules) {
        const message = `${earlier.job} keeps other snapshots of ${machine} than ${job.name}: what one keeps, the other may forget`;
        warnings.addAtKey(`/jobs/${job.name}/retention`, message);
        break;
      }
    }
  }
}
