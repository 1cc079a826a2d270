import { loadCatalog } from "../../core/index.js";
import { type Candidate, completionOf } from "../completion/candidates.js";
import { pathCandidates } from "../completion/pathCandidates.js";
import { COMPLETION_SCRIPTS, isShell } from "../completion/scripts.js";
import type { Context } from "../context.js";
import { type Given, usageError } from "../given/given.js";
import { GLOBAL_OPTIONS } from "../globalOptions.js";
import { machineOf } from "../output/snapshotText.js";
import type { Answer, Listed, Verb } from "../verb.js";

const SHELLS = Object.keys(COMPLETION_SCRIPTS);

export const completionVerb: Verb = {
  name: "completion",
  summary: `print a completion script for ${SHELLS.join(", ")}`,
  details: [
    "Verbs, options and, when REPRISE_REPOSITORY is set and no passphrase has to be typed, machines, snapshots and the files in them are completed.",
  ],
  operands: [{ name: "<shell>", description: SHELLS.join(", "), choices: SHELLS }],
  options: [],
  examples: [{ command: "source <(reprise completion bash)", meaning: "now, in this bash" }],
  run: async (_context: Context, given: Given): Promise<Answer> => {
    const shell = given.operand(0);
    if (!isShell(shell))
      throw usageError(`there is no completion for "${shell}"`, `there is one for ${SHELLS.join(", ")}`);
    const script = COMPLETION_SCRIPTS[shell];
    return { document: { shell, script }, lines: script.trimEnd().split("\n") };
  },
};

/** Asked by the scripts. Silent about everything that goes wrong: nothing may disturb somebody's typing. */
export function makeCompleteVerb(verbs: () => readonly Listed[]): Verb {
  return {
    name: "complete",
    summary: "answer a completion script",
    hidden: true,
    operands: [{ name: "[words...]", description: "what was typed after reprise" }],
    options: [],
    examples: [],
    run: async (context: Context, given: Given): Promise<Answer> => {
      const typed = given.operands.at(-1) ?? "";
      const { candidates, wants } = completionOf(given.operands, verbs(), GLOBAL_OPTIONS);
      if (wants === "snapshot" || wants === "group") candidates.push(...(await stored(context, wants)));
      if (wants === "path" && canOpen(context)) candidates.push(...(await pathCandidates(context, typed)));
      const fitting = candidates.filter(({ value }) => value.startsWith(typed));
      const lines = fitting.map(({ value, meaning }) => (meaning === "" ? value : `${value} ${meaning}`));
      if (wants === "file" || wants === "folder") lines.push(":files");
      return { document: fitting, lines };
    },
  };
}

/** A passphrase is never asked for. */
function canOpen(context: Context): boolean {
  return context.settings.location !== undefined && context.io.stdin.isTTY !== true;
}

/** Machines, or snapshots with their names and times, newest first. */
async function stored(context: Context, wants: "snapshot" | "group"): Promise<Candidate[]> {
  if (!canOpen(context)) return [];
  const repository = await context.openRepository();
  const { snapshots } = await loadCatalog(repository, { ...context.options, onWarning: () => {} });
  const machines = [...new Set(snapshots.map(machineOf))].sort();
  if (wants === "group") return machines.map((value) => ({ value, meaning: "" }));
  const latest = machines.map((machine) => ({ value: `${machine}@latest`, meaning: "" }));
  const named = snapshots.map((snapshot) => {
    return { value: `${machineOf(snapshot)}@${snapshot.manifest.time}`, meaning: snapshot.sid.slice(0, 8) };
  });
  const ids = snapshots.map((snapshot) => ({ value: snapshot.sid.slice(0, 12), meaning: machineOf(snapshot) }));
  return [...latest, ...named.reverse(), ...ids.reverse()];
}
