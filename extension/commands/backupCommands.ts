// Backing up now: a machine of a reprise.yml by its job, or disks and folders that are chosen by hand.

import { env, type LogOutputChannel, l10n, window, workspace } from "vscode";
import { isSameLocation } from "../model/location.js";
import { sizeText } from "../model/words.js";
import type { ConfiguredRepository } from "../repositories/configured.js";
import type { PolicyData } from "../service/policyProtocol.js";
import type { Node } from "../views/nodes.js";
import { type ActionParts, chooseRepository, isTrusted, writeTo } from "./actionParts.js";

const MACHINE = /^(?:[A-Za-z0-9_][\w.-]*(?:\/[A-Za-z0-9_][\w.-]*)*:)?(?:vm|ct|host)\/[A-Za-z0-9_][\w.-]*$/;

interface JobMachine {
  file: string;
  job: string;
  machine: string;
}

export class BackupCommands {
  readonly #parts: ActionParts;
  readonly #log: LogOutputChannel;

  constructor(parts: ActionParts, log: LogOutputChannel) {
    this.#parts = parts;
    this.#log = log;
  }

  async backUpNow(given?: Node): Promise<void> {
    if (!(await isTrusted())) return;
    const configured = await chooseRepository(given, l10n.t("Back up into which repository?"));
    if (configured === undefined) return;
    // of another view's rows only the repository is taken
    const machine = given?.kind === "machine" ? given.machine?.machine : undefined;
    const jobs = (await this.#jobs(configured)).filter((each) => machine === undefined || each.machine === machine);
    const job = await askJob(jobs, machine);
    if (job === "none") return await this.#byHand(configured, machine);
    if (job !== undefined) await this.#byJob(configured, job);
  }

  async #byJob(configured: ConfiguredRepository, { file: config, job, machine }: JobMachine): Promise<void> {
    const title = l10n.t("Back up {0} (job {1})", machine, job);
    const { outcome, verdict, problems } = await writeTo(this.#parts, configured, title, (repository, options) =>
      this.#parts.client.call("backUpByJob", { repository, config, job, machine }, options),
    );
    for (const problem of problems) this.#log.warn(problem);
    this.#log.info(verdict);
    if (outcome === "passed") void window.showInformationMessage(verdict);
    else void window.showWarningMessage([verdict, ...problems.slice(0, 3)].join(" "));
  }

  async #byHand(configured: ConfiguredRepository, known: string | undefined): Promise<void> {
    const picked = await window.showOpenDialog({
      title: l10n.t("What shall be backed up? Disk images, or folders"),
      openLabel: l10n.t("Back Up"),
      canSelectFiles: true,
      canSelectFolders: true,
      canSelectMany: true,
    });
    const local = picked?.filter(({ scheme }) => scheme === "file") ?? [];
    if (local.length === 0) return;
    const machine = known ?? (await askMachine());
    if (machine === undefined) return;
    const [disks, folders]: [string[], string[]] = [[], []];
    for (const uri of local) ((await workspace.fs.stat(uri)).type & 2 ? folders : disks).push(uri.fsPath);
    const title = l10n.t("Back up {0}", machine);
    const result = await writeTo(this.#parts, configured, title, (repository, options) =>
      this.#parts.client.call("backUp", { repository, machine, disks, folders, notes: "", tags: [] }, options),
    );
    const [size, added] = [result.sizeBytes, result.newBytes].map((bytes) => sizeText(bytes, env.language));
    const text = l10n.t("{0} was backed up: {1}, {2} of it new.", machine, size ?? "", added ?? "");
    this.#log.info(`${configured.name}: ${text}`);
    void window.showInformationMessage(text);
  }

  /** Backup jobs of the workspace's configurations that lead into this repository; of one with a mistake, those it had before. */
  async #jobs({ location }: ConfiguredRepository): Promise<JobMachine[]> {
    const readings = await this.#parts.policies.policies();
    return readings.flatMap(({ uri, data, lastSound }) => {
      const policy = data.sound ? data : lastSound;
      if (policy === undefined)
        this.#log.warn(l10n.t("No job of {0} is offered: it has mistakes, or cannot be read.", uri.fsPath));
      return policy === undefined || uri.scheme !== "file" ? [] : jobMachines(policy, uri.fsPath, location);
    });
  }
}

function jobMachines({ repositories, jobs, machines }: PolicyData, file: string, location: string): JobMachine[] {
  const own = repositories.filter((each) => each.location !== null && isSameLocation(each.location, location));
  const backups = jobs.filter(({ command, repository }) => {
    return command === "backup" && own.some(({ name }) => name === repository);
  });
  return backups.flatMap((job) => {
    const all = job.machines.length > 0 ? job.machines : machines.map(({ machine }) => machine);
    return all.map((machine) => ({ file, job: job.name, machine }));
  });
}

/** "none": by hand. Undefined: given up. */
async function askJob(
  jobs: readonly JobMachine[],
  machine: string | undefined,
): Promise<JobMachine | "none" | undefined> {
  if (jobs.length === 0) return "none";
  const items = jobs.map((job) => ({
    label: job.machine,
    description: l10n.t("job {0}", job.job),
    detail: job.file,
    job: job as JobMachine | "none",
  }));
  const byHand = { label: l10n.t("Choose disks or folders…"), description: "", detail: "", job: "none" as const };
  const title = machine === undefined ? l10n.t("Back up which machine?") : l10n.t("Back up {0}", machine);
  return (await window.showQuickPick([...items, byHand], { title, matchOnDescription: true }))?.job;
}

async function askMachine(): Promise<string | undefined> {
  return await window.showInputBox({
    title: l10n.t("Whose backup is it?"),
    prompt: l10n.t("The machine's name, such as vm/web1, host/office or prod:vm/web1"),
    value: "vm/",
    valueSelection: [3, 3],
    ignoreFocusOut: true,
    validateInput: (text) => (MACHINE.test(text) ? undefined : l10n.t("Write vm/NAME, ct/NAME or host/NAME")),
  });
}
