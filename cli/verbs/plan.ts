import { loadHistories, planReport } from "../../core/index.js";
import { CONFIG_OPTION, MACHINE_OPTION, openConfigured } from "../configured.js";
import type { Context } from "../context.js";
import type { Given } from "../given/given.js";
import { tableLines } from "../output/table.js";
import { type Line, styled } from "../output/text.js";
import type { Answer, Verb } from "../verb.js";

export const planVerb: Verb = {
  name: "plan",
  summary: "which jobs of reprise.yml are due, for which machines, and why",
  details: [
    "Goes by the schedules and by what the repositories know of earlier runs; changes nothing. With --matrix the answer is a JSON object for the matrix of a pipeline: each entry is a job and a machine, for reprise run JOB --machine MACHINE; an empty machine means the whole repository.",
  ],
  operands: [{ name: "[job...]", description: "names of jobs; default: all", completes: "nothing" }],
  options: [
    { flags: "--due", description: "only what is due" },
    { flags: "--matrix", description: "print a matrix of jobs and machines" },
    MACHINE_OPTION,
    CONFIG_OPTION,
  ],
  examples: [
    { command: "reprise plan --due", meaning: "what reprise run --due would do now" },
    { command: "reprise plan nightly --matrix", meaning: '{"include":[{"job":"nightly","machine":"vm/web1"}, …]}' },
  ],
  run: runPlan,
};

async function runPlan(context: Context, given: Given): Promise<Answer> {
  const { config, options } = await openConfigured(context, given);
  const filter = { jobs: given.operands, machines: given.texts("machine"), due: given.flag("due") };
  const needsHistory = filter.due || !given.flag("matrix");
  const histories = needsHistory ? await loadHistories(config, options, filter.jobs) : new Map();
  const { plan, verdict } = planReport(config, histories, filter, { ...options, url: null });
  const { matrix = [], runs = [] } = plan ?? {};
  if (given.flag("matrix")) {
    const include = { include: matrix };
    return { document: include, lines: [JSON.stringify(include)] };
  }
  const rows = runs.map(({ job, command, machine, due, reason }): Line[] => [
    job,
    command,
    machine ?? "–",
    due ? styled("yellow", "due") : styled("dim", "not due"),
    reason,
  ]);
  const columns = ["JOB", "COMMAND", "MACHINE", "", "REASON"].map((title) => ({ title }));
  const lines = rows.length === 0 ? [] : tableLines(columns, rows);
  return { document: { matrix, runs }, lines, summary: [styled("dim", verdict)] };
}
