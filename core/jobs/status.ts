// How the machines of a repository stand, measured by what the configuration expects of them. Reads only.

import type { RepriseConfig } from "../config/repriseConfig.js";
import { isAbort, isOurError } from "../errors.js";
import { qualifiedGroup } from "../format/manifest.js";
import {
  JOB_REPORT_SCHEMA,
  type JobReport,
  type MachineReportLine,
  type ReportProblem,
} from "../jobReport/jobReport.js";
import { redactReport } from "../jobReport/redactReport.js";
import { countedVerdict, worstOutcome } from "../jobReport/reportWords.js";
import { type Catalog, type CatalogOptions, loadCatalog } from "../repository/catalog.js";
import type { Repository } from "../repository/repository.js";
import type { OnWarning } from "../repository/warnings.js";
import { machinesOfJob } from "./configJobs.js";
import { HistoryIndex } from "./historyIndex.js";
import { snapshotPart } from "./jobContext.js";
import { reasonOf } from "./jobLog.js";
import type { JobOptions, StatusRequest } from "./jobRequest.js";
import { judgeMachineState } from "./machineState.js";
import { machineTrends } from "./trends.js";

type StatusOptions = Pick<JobOptions, "environment" | "signal" | "onWarning">;

/** How a catalog is read; whoever has one already gives that. */
type ReadCatalog = (repository: Repository, options: CatalogOptions) => Promise<Catalog>;

/** One report for each repository that jobs of the config write to, in their order; or of the one that is named. Only an abort is thrown. */
export async function configStatus(
  config: RepriseConfig,
  { machines, url, repository = null }: Pick<StatusRequest, "machines" | "url"> & { repository?: string | null },
  options: StatusOptions & Pick<JobOptions, "repositories">,
): Promise<JobReport[]> {
  const used = new Set(config.jobs.map(({ repository }) => repository));
  const all = config.repositories.map(({ name }) => name).filter((name) => used.size === 0 || used.has(name));
  const reports: JobReport[] = [];
  for (const name of repository === null ? all : [repository]) {
    const open = () => options.repositories.open(name);
    const report = await repositoryStatus({ config, repository: name, machines, url }, open, options);
    reports.push(redactReport(report, (text) => options.repositories.withoutLocations(text)));
  }
  return reports;
}

/**
 * Outcome `failed` when a machine of a backup job has no backup where its schedule expects one, when its newest one is damaged or its
 * last restore test failed, or the repository cannot be read. Only an abort is thrown.
 */
export async function repositoryStatus(
  request: StatusRequest,
  open: () => Promise<Repository>,
  options: StatusOptions & { readCatalog?: ReadCatalog },
): Promise<JobReport> {
  const { environment, signal, readCatalog = loadCatalog } = options;
  const startedAt = new Date(environment.now()).toISOString();
  const problems: ReportProblem[] = [];
  const onWarning: OnWarning = (warning) => {
    options.onWarning(warning);
    problems.push(problemOf("warning", warning.code, warning.message, null, request.config));
  };
  let repository: Repository | null = null;
  let catalog: Catalog | null = null;
  try {
    repository = await open();
    catalog = await readCatalog(repository, { signal, onWarning });
  } catch (error) {
    if (isAbort(error)) throw error;
    const { code = "INTERNAL_ERROR", hint = null } = isOurError(error) ? error : {};
    problems.push(problemOf("error", code, reasonOf(error), hint, request.config));
  }
  const machines = machinesToShow(request, catalog);
  const history = catalog && new HistoryIndex(catalog);
  const lines = machines.map((machine) => lineOf(request, history, machine, environment.now()));
  for (const line of lines) if (line.outcome === "failed") problems.push(lineProblem(line, request.config));
  const unknown = catalog === null ? [] : request.machines.filter((machine) => !machines.includes(machine));
  for (const machine of unknown) {
    const message = `there is no machine ${machine}`;
    problems.push(problemOf("error", "MACHINE_NOT_FOUND", message, "see reprise snapshots", request.config));
  }
  const warned = problems.some(({ severity }) => severity === "warning") ? ["warned" as const] : [];
  const lacking = catalog === null || unknown.length > 0;
  const outcome = lacking ? "failed" : worstOutcome([...warned, ...lines.map((line) => line.outcome)]);
  const report: JobReport = {
    ...{ schema: JOB_REPORT_SCHEMA, command: "status", job: null, tool: environment.tool },
    repository: repository && {
      ...{ name: request.repository, location: repository.shownLocation, id: repository.config.repositoryId },
    },
    ...{ startedAt, finishedAt: new Date(environment.now()).toISOString(), dryRun: false, url: request.url },
    ...{ outcome, verdict: "", machines: lines, facts: [], gate: null, plan: null, problems },
    trends: catalog === null ? [] : machineTrends(request.config, catalog, machines),
  };
  const verdict = lines.length === 0 && !lacking ? "there are no machines yet" : countedVerdict(report);
  return { ...report, verdict };
}

/** Those of jobs first, in the order of the config, then the others of the repository by name. */
function machinesToShow({ config, repository, machines }: StatusRequest, catalog: Catalog | null): string[] {
  const jobs = (config?.jobs ?? []).filter((job) => job.repository === repository);
  const expected = config === null ? [] : jobs.flatMap((job) => machinesOfJob(config, job));
  const stored = (catalog?.snapshots ?? []).map(({ manifest }) => qualifiedGroup(manifest.namespace, manifest.group));
  const all = [...new Set([...expected, ...[...new Set(stored)].sort()])];
  return machines.length === 0 ? all : all.filter((machine) => machines.includes(machine));
}

function lineOf(
  { config, repository }: StatusRequest,
  history: HistoryIndex | null,
  machine: string,
  nowMs: number,
): MachineReportLine {
  const frame = { machine, job: null, finishedAt: new Date(nowMs).toISOString(), durationMs: 0 };
  const parts = { backup: null, verification: null, test: null };
  if (history === null) {
    const reason = "its repository cannot be read";
    return { ...frame, ...parts, outcome: "inconclusive", reason, snapshot: null, state: null };
  }
  const { outcome, reason, newest, state } = judgeMachineState(config, repository, history, machine, nowMs);
  return { ...frame, ...parts, outcome, reason, snapshot: newest && snapshotPart(newest), state };
}

function lineProblem({ machine, reason }: MachineReportLine, config: RepriseConfig | null): ReportProblem {
  const line = config?.machines.find((each) => each.machine === machine)?.line ?? null;
  const hint = "see reprise plan for what is due, and reprise test --history for its restore tests";
  return { ...problemOf("error", "MACHINE_NOT_COVERED", `${machine}: ${reason}`, hint, config), machine, line };
}

function problemOf(
  severity: ReportProblem["severity"],
  code: string,
  message: string,
  hint: string | null,
  config: RepriseConfig | null,
): ReportProblem {
  return { severity, code, message, hint, machine: null, file: config?.fileName ?? null, line: null, column: null };
}
