import {
  type ConfigProblem,
  checkConfigFile,
  DEFAULT_CONFIG_PATH,
  describeSchedule,
  loadConfig,
  nextRun,
  type RepriseConfig,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { EXIT } from "../exitCodes.js";
import type { Given } from "../given/given.js";
import { configDocument, configLines } from "../output/configText.js";
import { type Line, styled } from "../output/text.js";
import { countText } from "../output/units.js";
import type { Answer, Verb, VerbFamily } from "../verb.js";

const DEFAULT_RUNS = 3;
const MAX_RUNS = 100;

const checkVerb: Verb = {
  name: "check",
  summary: "find every mistake in a configuration, with its line and column",
  details: [
    "Nothing is opened and no secret is read. Exit code 0: sound; 3: there are warnings; 64: there are mistakes, or the file cannot be read.",
  ],
  operands: [{ name: "[file...]", description: `configurations; default: ${DEFAULT_CONFIG_PATH}`, completes: "file" }],
  options: [],
  examples: [{ command: "reprise config check", meaning: "reprise.yml in this folder" }],
  run: runCheck,
};

const showVerb: Verb = {
  name: "show",
  summary: "what a configuration was understood to say, with every default and the next runs of each job",
  operands: [{ name: "[file]", description: `a configuration; default: ${DEFAULT_CONFIG_PATH}`, completes: "file" }],
  options: [
    {
      flags: "--runs <count>",
      description: "how many runs of each job are named with --json",
      standard: String(DEFAULT_RUNS),
      completes: "nothing",
    },
  ],
  examples: [{ command: "reprise config show --json", meaning: "everything, for programs" }],
  run: runShow,
};

export const configVerbs: VerbFamily = {
  name: "config",
  summary: "reprise.yml: check it, and see what was understood",
  verbs: [checkVerb, showVerb],
};

async function runCheck({ signal }: Context, given: Given): Promise<Answer> {
  const paths = given.operands.length === 0 ? [DEFAULT_CONFIG_PATH] : given.operands;
  const problems: ConfigProblem[] = [];
  const summary: Line[] = [];
  for (const path of paths) {
    const found = await checkConfigFile(path, signal);
    problems.push(...found);
    const errors = found.filter(({ severity }) => severity === "error").length;
    if (errors > 0) summary.push(`${path} has ${countText(errors, "mistake")}`);
    else summary.push(`${path} is sound: ${contentsOf(await loadConfig(path, signal))}`);
  }
  const hasErrors = problems.some(({ severity }) => severity === "error");
  return {
    document: { valid: !hasErrors, files: paths, problems },
    lines: problems.map(problemLine),
    summary,
    exitCode: hasErrors ? EXIT.wrongUsage : problems.length > 0 ? EXIT.doneWithWarnings : EXIT.done,
  };
}

function problemLine({ file, line, column, severity, message }: ConfigProblem): Line {
  return [`${file}:${line}:${column}: `, styled(severity === "error" ? "red" : "yellow", severity), `: ${message}`];
}

function contentsOf({ repositories, machines, jobs, restoreTests, gates }: RepriseConfig): string {
  const counts = [
    countText(repositories.length, "repository", "repositories"),
    countText(machines.length, "machine"),
    countText(jobs.length, "job"),
    countText(restoreTests.length, "restore test"),
    countText(gates.length, "gate"),
  ];
  return counts.join(", ");
}

async function runShow({ signal, environment }: Context, given: Given): Promise<Answer> {
  const config = await loadConfig(given.operands[0] ?? DEFAULT_CONFIG_PATH, signal);
  const count = given.integer("runs", 1, MAX_RUNS) ?? DEFAULT_RUNS;
  const schedules = new Map(
    config.jobs.flatMap(({ name, schedule, timeZone }) => {
      if (schedule === null) return [];
      const runs: number[] = [];
      for (let run = nextRun(schedule, environment.now(), timeZone); run !== null && runs.length < count; ) {
        runs.push(run);
        run = nextRun(schedule, run, timeZone);
      }
      return [[name, { words: describeSchedule(schedule), runs }] as const];
    }),
  );
  return { document: configDocument(config, schedules), lines: configLines(config, schedules) };
}
