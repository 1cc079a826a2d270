// Prune and gc: first what they would do, as a table; then, when somebody wants that, they do exactly that.

import { env, type LogOutputChannel, l10n, window } from "vscode";
import { showError } from "../adapt/errors.js";
import { formatKeepRules, KEEP_PRESETS, parseKeepRules } from "../model/keepRules.js";
import { sizeText } from "../model/words.js";
import { inTurns } from "../overview/inTurns.js";
import { gcPreview, prunePreview } from "../overview/previewContent.js";
import { type Outcome, showPreview } from "../overview/previewPanel.js";
import type { ConfiguredRepository } from "../repositories/configured.js";
import type { GcPlanData, GcResultData, KeepRules, PrunePlanData } from "../service/actionsProtocol.js";
import { ServiceError } from "../service/client.js";
import { type Node, repositoryNode } from "../views/nodes.js";
import { type ActionParts, chooseRepository, confirmed, isTrusted, runOn, writeTo } from "./actionParts.js";

const READER = { t: l10n.t, locale: env.language };

interface WantedPrune {
  configured: ConfiguredRepository;
  /** Null: all of them. */
  machine: string | null;
  keep: KeepRules;
  mayApply: boolean;
}

export class RetentionCommands {
  readonly #parts: ActionParts;
  readonly #log: LogOutputChannel;

  constructor(parts: ActionParts, log: LogOutputChannel) {
    this.#parts = parts;
    this.#log = log;
  }

  /** Of the machine that it is called on or that is selected; else of a whole repository. */
  async prune(given?: Node): Promise<void> {
    if (!(await isTrusted())) return;
    const known = this.#parts.choose.knownMachine(given);
    const configured = known?.configured ?? (await chooseRepository(given, l10n.t("Prune which repository?")));
    if (configured === undefined) return;
    const role = await this.#parts.keepers.readyToPreview(configured);
    if (role === undefined) return;
    const machine = known?.machine ?? null;
    const keep = await askKeepRules(scopeText(machine, configured));
    if (keep !== undefined) await this.#previewPrune({ configured, machine, keep, mayApply: role !== "runner" });
  }

  async #previewPrune(wanted: WantedPrune): Promise<void> {
    const { configured, machine, keep, mayApply } = wanted;
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    const title = l10n.t("Prune preview: {0}", scopeText(machine, configured));
    const plan = await runOn(this.#parts, configured, title, (repository, options) =>
      this.#parts.client.call("planPrune", { repository, machine, keep, timeZone }, options),
    );
    showPreview(this.#parts.extensionUri, {
      title,
      subtitle: configured.location,
      content: await inTurns(prunePreview(plan, formatKeepRules(keep), { ...READER, timeZone })),
      apply: plan.removes === 0 || !mayApply ? null : forgetButton(plan.removes),
      onApply: () => this.#guarded(() => this.#applyPrune(wanted, plan)),
      onAgain: () => this.#guarded(() => this.#previewPrune(wanted).then(() => true)),
    });
  }

  async collect(given?: Node): Promise<void> {
    if (!(await isTrusted())) return;
    const configured = await chooseRepository(given, l10n.t("Collect garbage of which repository?"));
    if (configured === undefined) return;
    const role = await this.#parts.keepers.readyToPreview(configured);
    if (role === undefined) return;
    const title = l10n.t("gc preview: {0}", configured.name);
    const plan = await runOn(this.#parts, configured, title, (repository, options) =>
      this.#parts.client.call("planGc", { repository }, options),
    );
    showPreview(this.#parts.extensionUri, {
      title,
      subtitle: configured.location,
      content: gcPreview(plan, READER),
      apply: role === "runner" ? null : gcButton(plan),
      onApply: () => this.#guarded(() => this.#applyGc(configured, plan)),
      onAgain: () => this.#guarded(() => this.#collectOf(configured)),
    });
  }

  async #applyPrune({ configured, machine }: WantedPrune, { plan, removes, lines }: PrunePlanData): Promise<boolean> {
    const machines = new Set(lines.filter(({ mark }) => mark === "remove").map(({ machine }) => machine));
    const question = l10n.t(
      "Forget {0} of {1} snapshots of {2}?",
      removes,
      lines.length,
      scopeText(machine, configured),
    );
    const detail = l10n.t("Of {0}. They cannot be restored afterwards.", [...machines].slice(0, 10).join(", "));
    if (!(await confirmed(question, detail, l10n.t("Forget Them")))) return false;
    const { forgotten } = await writeTo(
      this.#parts,
      configured,
      l10n.t("Prune {0}", machine ?? configured.name),
      (repository, options) => this.#parts.client.call("applyPrune", { repository, plan, confirmed: true }, options),
    );
    const text =
      forgotten === 1
        ? l10n.t("1 snapshot was forgotten. Its space is freed by gc.")
        : l10n.t("{0} snapshots were forgotten. Their space is freed by gc.", forgotten);
    this.#log.info(`${configured.name}: ${text}`);
    const next = l10n.t("Preview gc");
    window.showInformationMessage(text, next).then((chosen) => {
      if (chosen === next) void this.#guarded(() => this.#collectOf(configured));
    });
    return true;
  }

  async #collectOf(configured: ConfiguredRepository): Promise<boolean> {
    await this.collect(repositoryNode(configured));
    return true;
  }

  async #applyGc(configured: ConfiguredRepository, { plan, freedBytes, packsChanged }: GcPlanData): Promise<boolean> {
    const isMerge = freedBytes === 0;
    const question = isMerge
      ? l10n.t("Merge {0} packs in {1}?", packsChanged, configured.name)
      : l10n.t("Free {0} in {1}?", sizeText(freedBytes, env.language), configured.name);
    const detail = l10n.t(
      "{0} packs are deleted or repacked. Every snapshot that is listed stays complete.",
      packsChanged,
    );
    const button = isMerge ? l10n.t("Merge the Packs") : l10n.t("Free the Space");
    if (!(await confirmed(question, detail, button))) return false;
    const result = await writeTo(this.#parts, configured, l10n.t("gc of {0}", configured.name), (repository, options) =>
      this.#parts.client.call("applyGc", { repository, plan, confirmed: true }, options),
    );
    const text = gcText(result);
    this.#log.info(`${configured.name}: ${text}`);
    void window.showInformationMessage(text);
    return true;
  }

  async #guarded(work: () => Promise<boolean>): Promise<Outcome> {
    try {
      return (await work()) ? "done" : "given up";
    } catch (error) {
      if (error instanceof ServiceError && error.code === "SERVICE_PLAN_CHANGED") {
        this.#log.warn(error.message);
        return "outdated";
      }
      void showError(error, this.#log);
      return "given up";
    }
  }
}

function forgetButton(removes: number): string {
  return removes === 1 ? l10n.t("Forget 1 Snapshot…") : l10n.t("Forget {0} Snapshots…", removes);
}

function scopeText(machine: string | null, { name }: ConfiguredRepository): string {
  return machine === null ? l10n.t("the whole repository {0}", name) : l10n.t("the machine {0}", machine);
}

/** Null: there is nothing to do. Merging small packs frees nothing. */
function gcButton({ packsChanged, freedBytes }: GcPlanData): string | null {
  if (packsChanged === 0) return null;
  return freedBytes === 0
    ? l10n.t("Repack {0} Packs…", packsChanged)
    : l10n.t("Free {0}…", sizeText(freedBytes, env.language));
}

function gcText({ deletedPacks, deletedBytes, repackedPacks, waitingFor }: GcResultData): string {
  const freed = l10n.t(
    "{0} packs ({1}) were deleted, {2} repacked.",
    ...[deletedPacks, sizeText(deletedBytes, env.language), repackedPacks],
  );
  if (waitingFor.length === 0) return freed;
  return `${freed} ${l10n.t("The rest waits for {0} running backups: run gc again later.", waitingFor.length)}`;
}

/** Rules of the workspace's reprise.yml are a matter of its jobs; here somebody decides by hand. Undefined: given up. */
async function askKeepRules(scope: string): Promise<KeepRules | undefined> {
  const title = l10n.t("What to keep of {0}", scope);
  const other = l10n.t("Other rules…");
  const items = KEEP_PRESETS.map((label) => ({ label }));
  const picked = await window.showQuickPick([...items, { label: other }], {
    title,
    placeHolder: l10n.t("Everything that no rule keeps goes; protected snapshots always stay"),
  });
  if (picked === undefined || picked.label !== other) return picked && parseKeepRules(picked.label);
  const typed = await window.showInputBox({
    title,
    prompt: l10n.t("last, hourly, daily, weekly, monthly, yearly with a count, and within with a duration"),
    value: KEEP_PRESETS[0],
    ignoreFocusOut: true,
    validateInput: (text) =>
      parseKeepRules(text) === undefined ? l10n.t("Write it as in daily=7 within=30d") : undefined,
  });
  return typed === undefined ? undefined : parseKeepRules(typed);
}
