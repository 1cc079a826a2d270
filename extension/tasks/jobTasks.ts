// Jobs of reprise.yml as tasks of the editor: `reprise run JOB`, and `reprise config check`. Found in the workspace, or written into
// tasks.json by hand.

import { stat } from "node:fs/promises";
import { dirname, isAbsolute, join, relative } from "node:path";
import {
  CustomExecution,
  env,
  l10n,
  Task,
  type TaskDefinition,
  TaskGroup,
  type TaskProvider,
  TaskRevealKind,
  TaskScope,
  type Uri,
  type WorkspaceFolder,
  workspace,
} from "vscode";
import { commandLineWords } from "../model/commandLine.js";
import { scheduleText } from "../model/coreWords.js";
import { secretVariables } from "../model/secretVariables.js";
import { shortened } from "../model/shownName.js";
import type { Policies } from "../policy/policies.js";
import { configuredRepositories } from "../repositories/configured.js";
import type { Passphrases } from "../secrets/passphrases.js";
import type { PolicyData, PolicyJobData } from "../service/policyProtocol.js";
import { cliProgram } from "./cliProgram.js";
import { type TaskProcess, TaskTerminal } from "./taskTerminal.js";

const TYPE = "reprise";
const STANDARD_CONFIG = "reprise.yml";
const MAX_CONFIGS = 100;

export interface JobTaskParts {
  policies: Policies;
  passphrases: Passphrases;
  /** The command line that comes with the extension. */
  bundled: Uri;
}

/** As package.json declares it. */
interface JobDefinition extends TaskDefinition {
  /** Absent: the configuration is only checked. */
  job?: string;
  config?: string;
  machine?: string;
  dryRun?: boolean;
}

export class JobTasks implements TaskProvider {
  static readonly type = TYPE;
  readonly #parts: JobTaskParts;

  constructor(parts: JobTaskParts) {
    this.#parts = parts;
  }

  /** One for each job of each reprise.yml, and one that checks each. Tasks need a trusted workspace; so do we. */
  async provideTasks(): Promise<Task[]> {
    if (!workspace.isTrusted) return [];
    const files = (await this.#parts.policies.uris("policy")).slice(0, MAX_CONFIGS);
    const tasks = files.filter(({ scheme }) => scheme === "file").map((uri) => this.#tasksOf(uri));
    return (await Promise.all(tasks)).flat();
  }

  /** While there is a mistake in it, the jobs are those of before. */
  async #tasksOf(uri: Uri): Promise<Task[]> {
    const folder = workspace.getWorkspaceFolder(uri);
    if (folder === undefined) return [];
    const path = relative(folder.uri.fsPath, uri.fsPath);
    const config = path === STANDARD_CONFIG ? {} : { config: path };
    const reading = await this.#parts.policies.read(uri).catch(() => undefined);
    const known = reading?.kind !== "policy" ? undefined : reading.data.sound ? reading.data : reading.lastSound;
    const jobs = known?.jobs.map((job) => this.#task({ type: TYPE, job: job.name, ...config }, folder, job)) ?? [];
    return [...jobs, this.#task({ type: TYPE, ...config }, folder, undefined)];
  }

  /** One of tasks.json, with its own definition. One with a mistake in it says so when it is run, and starts nothing. */
  resolveTask(task: Task): Task | undefined {
    const folder = isFolder(task.scope) ? task.scope : workspace.workspaceFolders?.[0];
    return folder && this.#task(task.definition as JobDefinition, folder, undefined);
  }

  #task(definition: JobDefinition, folder: WorkspaceFolder, job: PolicyJobData | undefined): Task {
    const execution = new CustomExecution(async (resolved) => {
      return new TaskTerminal(() => this.#process(resolved as JobDefinition, folder));
    });
    const task = new Task(definition, folder, nameOf(definition), "reprise", execution, ["$reprise"]);
    task.detail = detailOf(definition, job);
    task.presentationOptions = { reveal: TaskRevealKind.Always, echo: false };
    if (job?.command === "restore-test" || definition.job === undefined) task.group = TaskGroup.Test;
    return task;
  }

  async #process(definition: JobDefinition, folder: WorkspaceFolder): Promise<TaskProcess> {
    const mistake = mistakeIn(definition);
    if (mistake !== undefined) throw new Error(mistake);
    const { job, config, machine, dryRun } = definition;
    if (!workspace.isTrusted)
      throw new Error(l10n.t("This workspace is not trusted: nothing is written or started from it."));
    const cli = await cliProgram(this.#parts.bundled);
    const named = config ?? STANDARD_CONFIG;
    const path = isAbsolute(named) ? named : join(folder.uri.fsPath, named);
    const own = [
      ...(job === undefined ? ["config", "check", path] : ["run", job, "--config", path]),
      ...(job !== undefined && machine !== undefined ? ["--machine", machine] : []),
      ...(job !== undefined && dryRun === true ? ["--dry-run"] : []),
    ];
    const secrets = job === undefined ? {} : await this.#secrets(folder.uri.with({ path }), job);
    const shown = commandLineWords(["reprise", ...own]);
    // checks may start programs beside it; where there is no such folder, the command says that there is no such file
    const beside = (await isDirectory(dirname(path))) ? dirname(path) : folder.uri.fsPath;
    return { ...cli, args: [...cli.args, ...own], env: { ...cli.env, ...secrets }, folder: beside, shown };
  }

  /** What the editor keeps of the repositories that the configuration names, under the names that it gives to its secrets. */
  async #secrets(config: Uri, job: string): Promise<Record<string, string>> {
    const reading = await this.#parts.policies.read(config).catch(() => undefined);
    if (reading?.kind !== "policy" || !reading.data.sound) return {};
    const { passphrases } = this.#parts;
    const known = configuredRepositories().map(async ({ location }) => ({
      location,
      passphrase: await passphrases.get(location),
      keeperKey: await passphrases.keeperKey(location),
    }));
    return secretVariables(repositoriesFirst(reading.data, job), await Promise.all(known), process.env);
  }
}

/** That of the job first: where two repositories name one variable, it is its own. */
function repositoriesFirst({ repositories, jobs }: PolicyData, job: string): PolicyData["repositories"] {
  const own = jobs.find(({ name }) => name === job)?.repository;
  return repositories.toSorted((a, b) => Number(b.name === own) - Number(a.name === own));
}

/** A mistyped wish, such as a dry run as a text, is not taken for none: what is meant to be looked at would be done. */
function mistakeIn(definition: JobDefinition): string | undefined {
  for (const name of ["job", "config", "machine"]) {
    const value: unknown = definition[name];
    if (value !== undefined && (typeof value !== "string" || value === ""))
      return l10n.t(
        "{0} of this task must be a text that is not empty, and is {1}: nothing was started.",
        name,
        written(value),
      );
  }
  const { dryRun }: { dryRun?: unknown } = definition;
  if (dryRun === undefined || typeof dryRun === "boolean") return undefined;
  return l10n.t("{0} of this task must be true or false, and is {1}: nothing was started.", "dryRun", written(dryRun));
}

function written(value: unknown): string {
  return shortened(JSON.stringify(value) ?? "", 60);
}

function nameOf({ job, config, machine, dryRun }: JobDefinition): string {
  const where = config === undefined ? "" : ` (${config})`;
  if (job === undefined) return l10n.t("check {0}", config ?? STANDARD_CONFIG);
  return `${job}${machine === undefined ? "" : ` ${machine}`}${dryRun === true ? ` ${l10n.t("(dry run)")}` : ""}${where}`;
}

function detailOf({ job }: JobDefinition, found: PolicyJobData | undefined): string {
  if (job === undefined) return "reprise config check";
  const schedule = found?.schedule == null ? [] : [scheduleText(found.schedule, { locale: env.language, t: l10n.t })];
  return [`reprise run ${job}`, ...(found === undefined ? [] : [found.command]), ...schedule].join(" · ");
}

function isFolder(scope: Task["scope"]): scope is WorkspaceFolder {
  return typeof scope === "object" && scope !== null && scope !== (TaskScope.Workspace as unknown);
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
