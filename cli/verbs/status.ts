import { configStatus, type JobReport, repositoryStatus } from "../../core/index.js";
import { CONFIG_OPTION, MACHINE_OPTION, openConfigured } from "../configured.js";
import type { Context } from "../context.js";
import type { Given } from "../given/given.js";
import { exitCodeOfReports, reportLines, worstOf } from "../output/jobText.js";
import type { Answer, Verb } from "../verb.js";

export const statusVerb: Verb = {
  name: "status",
  summary: "how machines stand: newest backup, its verification, the last restore test",
  details: [
    "With a configuration: whether every machine has the backups and restore tests that its jobs should make. It is --config, or reprise.yml in this folder when no repository is named. With --repo or REPRISE_REPOSITORY alone: all machines of that repository, of which nothing is expected.",
    "Ends with 1 when a machine has no backup where one is expected, its newest one is damaged or its last restore test failed; with 3 when there is something to look at.",
  ],
  operands: [],
  options: [MACHINE_OPTION, CONFIG_OPTION],
  examples: [
    { command: "reprise status", meaning: "what reprise.yml expects" },
    { command: "reprise status --repo /srv/backup", meaning: "everything in one repository" },
  ],
  run: runStatus,
};

async function runStatus(context: Context, given: Given): Promise<Answer> {
  const reports = await statusReports(context, given);
  return {
    document: { outcome: worstOf(reports), reports },
    lines: reportLines(reports),
    exitCode: exitCodeOfReports(reports),
  };
}

async function statusReports(context: Context, given: Given): Promise<JobReport[]> {
  const wanted = { machines: given.texts("machine"), url: null };
  if (given.has("config") || context.settings.location === undefined) {
    const { config, options } = await openConfigured(context, given);
    return await configStatus(config, wanted, options);
  }
  const { environment, signal, onWarning } = context;
  // opened before the report begins: a wrong passphrase is asked for again, and other trouble is an error as in every verb
  const repository = await context.openRepository();
  const request = { config: null, repository: null, ...wanted };
  return [await repositoryStatus(request, async () => repository, { environment, signal, onWarning })];
}
