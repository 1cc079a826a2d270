// The gates in words: an icon for the worst of them, a tooltip, and a list of every machine with its reasons.

import { env, l10n, type QuickPickItem, QuickPickItemKind, Range, window, workspace } from "vscode";
import type { GateBase } from "../model/gateBase.js";
import { decisionOf, lineOfMachine, type ShownDecision } from "../model/gateView.js";
import { withoutIcons, withoutLinks } from "../model/harmlessText.js";
import { dateAndTime } from "../model/words.js";
import type { GateAnswerData, GateMachineData } from "../service/policyProtocol.js";
import type { GatePlace } from "./gatePlaces.js";

/** What is known of the gates of one policy. */
export interface GateResult {
  place: GatePlace;
  base: GateBase | undefined;
  answers: readonly GateAnswerData[];
  atMs: number;
}

const HASH_SHOWN = 9;

/** Icon and words. */
export function appearance(decision: ShownDecision): [string, string] {
  switch (decision) {
    case "go":
      return ["$(pass)", l10n.t("Gate: go")];
    case "not-needed":
      return ["$(circle-slash)", l10n.t("Gate: not needed")];
    case "overridden":
      return ["$(warning)", l10n.t("Gate: overridden")];
    case "blocked":
      return ["$(error)", l10n.t("Gate: blocked")];
    default:
      return ["$(question)", l10n.t("Gate: unknown")];
  }
}

/** `uncommitted`: changed files that do not count. */
export function tooltipText(results: readonly GateResult[], uncommitted: number): string {
  const lines = results.flatMap(({ place, base, answers }) => {
    const ofPlace = results.length > 1 ? ` (${place.label})` : "";
    return [...answers.map((answer) => `${answer.gate}${ofPlace}: ${sentence(answer)}`), ...baseLines(base)];
  });
  const oldestMs = Math.min(...results.map(({ atMs }) => atMs));
  return [
    ...new Set(lines),
    ...(uncommitted === 0 ? [] : [l10n.t("Changed files that are not committed and do not count: {0}.", uncommitted)]),
    l10n.t("As of {0}", dateAndTime(oldestMs, env.language)),
  ].join("\n");
}

export function baseLines(base: GateBase | undefined): string[] {
  if (base === undefined) return [];
  const compared = l10n.t("Compared with {0} ({1})", base.name, base.hash.slice(0, HASH_SHOWN));
  if (base.leftOut === undefined) return [compared];
  const old = l10n.t("{0} of this clone is old and was left out; git remote set-head renews it.", base.leftOut);
  return [compared, old];
}

/** Shows the gates one after the other; picking a machine shows its rule. True: they are to be asked again. */
export async function showGates(results: readonly GateResult[]): Promise<boolean> {
  const all = results.flatMap(({ answers }) => answers);
  if (all.every(({ data }) => data === null)) return await askAgain(all);
  const again: GateItem = { label: `$(refresh) ${l10n.t("Check Again")}` };
  const items: GateItem[] = [...results.flatMap(gateItems), separator(""), again];
  const [only] = all;
  const title = all.length === 1 && only !== undefined ? `${only.gate}: ${sentence(only)}` : l10n.t("Reprise gates");
  const bases = new Set(results.flatMap(({ base }) => baseLines(base)));
  const placeHolder = [...bases].join(" · ");
  const picked = await window.showQuickPick(items, {
    title,
    placeHolder,
    matchOnDetail: true,
    matchOnDescription: true,
  });
  if (picked?.rule !== undefined) await showRule(picked.rule);
  return picked === again;
}

async function askAgain(answers: readonly GateAnswerData[]): Promise<boolean> {
  const again = l10n.t("Check Again");
  const why = answers.map(sentence).join(" ");
  const message = l10n.t("The gate cannot decide, so it is shut: {0}", withoutLinks(why));
  return (await window.showWarningMessage(message, again)) === again;
}

interface Rule {
  place: GatePlace;
  gate: string;
  machine: string;
}

interface GateItem extends QuickPickItem {
  rule?: Rule;
}

function gateItems({ place, answers }: GateResult): GateItem[] {
  return answers.flatMap((answer) => {
    const head = separator(`${withoutIcons(answer.gate)} — ${withoutIcons(place.label)}`);
    const { gate, data } = answer;
    if (data !== null && data.machines.length > 0)
      return [head, ...data.machines.map((machine) => machineItem(machine, { place, gate, machine: machine.machine }))];
    const [icon, words] = appearance(decisionOf(answer));
    return [head, { label: `${icon} ${words}`, detail: withoutIcons(sentence(answer)) }];
  });
}

function machineItem({ machine, decision, reasons, files, filesTotal }: GateMachineData, rule: Rule): GateItem {
  const more = filesTotal > files.length ? ` … (${filesTotal})` : "";
  return {
    label: `${decision === "go" ? "$(pass)" : "$(error)"} ${withoutIcons(machine)}`,
    description: withoutIcons(files.join(", ") + more),
    detail: withoutIcons(reasons.map(({ message }) => message).join(" · ")),
    rule,
  };
}

function separator(label: string): GateItem {
  return { label, kind: QuickPickItemKind.Separator };
}

/** The policy that decided is the base's: its lines are others than those of the work tree. */
async function showRule({ place, gate, machine }: Rule): Promise<void> {
  const document = await workspace.openTextDocument(place.policy);
  const line = lineOfMachine(document.getText(), gate, machine);
  await window.showTextDocument(document, { selection: new Range(line, 0, line, 0) });
}

function sentence({ data, problem }: GateAnswerData): string {
  return data?.verdict ?? problem?.message ?? "";
}
