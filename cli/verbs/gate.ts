import { userInfo } from "node:os";
import {
  checkNewFile,
  DEFAULT_CONFIG_PATH,
  type GateRequest,
  type GateRun,
  RepriseError,
  readInputFile,
  renderJobText,
  runGate,
  type SigningKey,
  writeJobReports,
  writeNewFile,
} from "../../core/index.js";
import type { Context } from "../context.js";
import { EXIT } from "../exitCodes.js";
import type { Given } from "../given/given.js";
import type { Line } from "../output/text.js";
import { readSigningKey, SIGNING_KEY_OPTION } from "../secret/signingKeySource.js";
import type { Answer, Verb } from "../verb.js";

const COMPARISONS = ["merge-base", "direct"] as const;
const POLICY_PLACES = ["base", "head"] as const;
const STANDARD_REMOTE = "origin";
const STANDARD_FOLDER = ".";
const MAX_DESCRIPTION_BYTES = 1024 * 1024;

export const gateVerb: Verb = {
  name: "gate",
  summary: "decide whether a change may go on: the machines that it touches must have a backup whose restore is proven",
  details: [
    "Which files have changed is asked of git, which machines they touch of the gate in reprise.yml, and what is proven of the evidence branch or of the repository itself. Policy and keys are read from the base commit, not from the work tree, so that a change cannot open its own gate. See docs/gate.md.",
    "Exit code 0: go, not needed, or overridden. 1: blocked, with the reasons. 2 or 64: it could not be decided, which means shut, too.",
  ],
  operands: [],
  options: [
    { flags: "--gate <name>", description: "which one, when there are several", completes: "nothing" },
    {
      flags: "--base <revision>",
      description: "what the change is compared with; default: the remote's main branch",
      completes: "nothing",
    },
    { flags: "--head <revision>", description: "the change", standard: "HEAD", completes: "nothing" },
    {
      flags: "--compare <way>",
      description: "merge-base: since head left base, as in a pull request; direct: from base to head, as a push does",
      choices: COMPARISONS,
    },
    {
      flags: "--default-branch <revision>",
      description: "with direct: what a new branch, whose base is all zeros, is compared with",
      completes: "nothing",
    },
    {
      flags: "--config <file>",
      description: `the configuration; default: ${DEFAULT_CONFIG_PATH}`,
      completes: "file",
    },
    {
      flags: "--git <folder>",
      description: "the checked out repository; the path of the configuration starts here",
      standard: STANDARD_FOLDER,
      completes: "folder",
    },
    { flags: "--policy-from <commit>", description: "base or head; head trusts the change", choices: POLICY_PLACES },
    {
      flags: "--remote <remote>",
      description: "where missing history is fetched from",
      standard: STANDARD_REMOTE,
      completes: "nothing",
    },
    { flags: "--no-fetch", description: "fetch no history; what is missing shuts the gate" },
    { flags: "--label <label>", description: "of the pull request", many: true, completes: "nothing" },
    {
      flags: "--description-file <file>",
      description: "the description of the pull request, where the reason of an override stands",
      completes: "file",
    },
    { flags: "--by <name>", description: "who asks for an override, for the record", completes: "nothing" },
    { flags: "--url <url>", description: "where this run can be looked at, for the record", completes: "nothing" },
    { flags: "--out <file>", description: "write the verdict as in-toto statements, one a line", completes: "file" },
    { flags: "--force", description: "replace the file" },
    { flags: "--report <folder>", description: "write reports there: HTML, Markdown, JSON", completes: "folder" },
    SIGNING_KEY_OPTION,
  ],
  examples: [
    { command: "reprise gate --base origin/main", meaning: "what this branch changes" },
    {
      command: "reprise gate --compare direct --base $BEFORE --head $AFTER --default-branch origin/main",
      meaning: "what a push changes",
    },
    {
      command: "reprise gate --base v1.3 --head v1.4",
      meaning: "what a tag brings since the one that was deployed last",
    },
  ],
  run: runGateVerb,
};

async function runGateVerb(context: Context, given: Given): Promise<Answer> {
  const { io, signal, environment, onWarning } = context;
  const out = given.text("out");
  if (out !== undefined) await checkNewFile(out, given.flag("force"));
  const key = await readSigningKey(given, io);
  const signingKeys: SigningKey[] = key === undefined ? [] : [key];
  const remote = given.flag("fetch") ? remoteOf(given) : null;
  const request = await requestOf(given, signal);
  const run = await runGate(request, { remote, env: io.env, environment, signingKeys, signal, onWarning });
  const { report, statements, isSigned } = run;
  const summary = out === undefined ? [] : [await writeStatements(out, run, given.flag("force"))];
  const folder = given.text("report");
  const files = folder === undefined ? [] : await writeJobReports(folder, [report]);
  return {
    document: {
      decision: report.gate?.decision ?? "blocked",
      verdict: report.verdict,
      report,
      statements,
      isSigned,
      files,
    },
    lines: renderJobText(report).trimEnd().split("\n"),
    summary,
    exitCode: report.outcome === "failed" ? EXIT.failed : EXIT.done,
    isVerdict: true,
  };
}

function remoteOf(given: Given): string {
  return given.text("remote") ?? STANDARD_REMOTE;
}

async function requestOf(given: Given, signal: AbortSignal): Promise<GateRequest> {
  const compare = COMPARISONS.find((each) => each === given.text("compare")) ?? "merge-base";
  const base = given.text("base") ?? (compare === "merge-base" ? `${remoteOf(given)}/HEAD` : null);
  return {
    folder: given.text("git") ?? STANDARD_FOLDER,
    configPath: given.text("config") ?? DEFAULT_CONFIG_PATH,
    gate: given.text("gate") ?? null,
    range: { compare, base, head: given.text("head") ?? "HEAD" },
    defaultBranch: given.text("defaultBranch") ?? null,
    policyFrom: given.text("policyFrom") === "head" ? "head" : "base",
    override: {
      labels: given.texts("label"),
      description: await descriptionOf(given.text("descriptionFile"), signal),
      by: given.text("by") ?? userInfo().username,
    },
    url: given.text("url") ?? null,
  };
}

async function descriptionOf(path: string | undefined, signal: AbortSignal): Promise<string | null> {
  if (path === undefined) return null;
  try {
    return new TextDecoder().decode(await readInputFile(path, { maxBytes: MAX_DESCRIPTION_BYTES, signal }));
  } catch (cause) {
    signal.throwIfAborted();
    const why = (cause as NodeJS.ErrnoException).code ?? "unknown error";
    const message = `the description ${path} cannot be read (${why})`;
    throw new RepriseError("not-found", "DESCRIPTION_UNREADABLE", message, { data: { path }, cause });
  }
}

async function writeStatements(path: string, { statements, isSigned }: GateRun, force: boolean): Promise<Line> {
  const text = statements.map((statement) => `${statement}\n`).join("");
  await writeNewFile(path, new TextEncoder().encode(text), force);
  return `the verdict is in ${path}${isSigned ? ", signed" : ", not signed: no signing key was given"}`;
}
