// The gates of what is committed in a git work tree, compared with where its branch left the base. Nothing is written.

import { realpath } from "node:fs/promises";
import { isAbsolute } from "node:path";
import {
  asGivenSecret,
  errorToData,
  type GivenSecret,
  inertLine,
  isAbort,
  isOurError,
  RepriseError,
  runGate,
  systemEnvironment,
} from "../../core/index.js";
import type { GateAnswerData, GateData } from "./policyProtocol.js";
import type { ArgumentOf } from "./protocol.js";
import type { CallContext } from "./session.js";
import { VERSION } from "./version.js";

type GateArgument = ArgumentOf<"gate">;

const NOBODY = { labels: [], description: null, by: "" };

export async function answerGate(argument: GateArgument, context: CallContext): Promise<GateAnswerData[]> {
  const names = argument.gate === null ? await gateNames(argument, context) : [argument.gate];
  if (!Array.isArray(names)) return [names];
  const answers: GateAnswerData[] = [];
  for (const gate of names) answers.push(await answerOne({ ...argument, gate }, context));
  return answers;
}

/** Of the policy that counts, in its order; its answer when it has only one. A policy with more than 50 is a mistake. */
async function gateNames(argument: GateArgument, context: CallContext): Promise<GateAnswerData | string[]> {
  try {
    const data = await decide(argument, context);
    return { gate: data.gate, data, problem: null };
  } catch (error) {
    if (!isOurError(error, "GATE_UNKNOWN")) throw error;
    return (error.data.gates ?? []) as string[];
  }
}

/** One gate that cannot be decided says nothing about the others. */
async function answerOne(argument: GateArgument & { gate: string }, context: CallContext): Promise<GateAnswerData> {
  const { gate } = argument;
  try {
    return { gate, data: await decide(argument, context), problem: null };
  } catch (error) {
    if (isAbort(error) || !isOurError(error)) throw error;
    const { message, code } = errorToData(error);
    return { gate, data: null, problem: { code: code ?? "INTERNAL_ERROR", message: inertLine(message) } };
  }
}

async function decide(
  { folder, configPath, gate, base, secrets = [] }: GateArgument,
  { signal, onWarning }: CallContext,
): Promise<GateData> {
  const run = await runGate(
    {
      ...{ folder, configPath, gate, defaultBranch: null, policyFrom: "base", override: NOBODY, url: null },
      range: { compare: "merge-base", base, head: "HEAD" },
    },
    {
      ...{ remote: null, env: process.env, environment: systemEnvironment(VERSION), signingKeys: [] },
      ...{ signal, onWarning },
      secretFor: (location) => keptSecret(location, secrets),
    },
  );
  const { gate: part, verdict } = run.report;
  if (part === null) throw new RepriseError("usage", "GATE_UNKNOWN", "the gate said nothing");
  return {
    ...{ gate: part.gate, decision: part.decision, verdict: inertLine(verdict) },
    ...{ base: part.base, head: part.head, changedFiles: part.changedFiles },
    machines: part.machines.map(({ machine, decision, reasons, files, filesTotal, line }) => ({
      ...{ machine, decision, filesTotal, line },
      reasons: reasons.map(({ code, message }) => ({ code, message: inertLine(message) })),
      files: files.map((file) => inertLine(file)),
    })),
  };
}

/** Only for exactly the place that it was typed for: a policy may name any. */
async function keptSecret(
  location: string,
  secrets: NonNullable<GateArgument["secrets"]>,
): Promise<GivenSecret | null> {
  const wanted = await placeOf(location);
  for (const { location: known, secret } of secrets)
    if ((await placeOf(known)) === wanted) return asGivenSecret(secret);
  return null;
}

/** A folder by where it really is; a location behind a network as it is written. */
async function placeOf(location: string): Promise<string> {
  const plain = location.replace(/^file:(\/\/)?/, "").replace(/(?<=.)\/+$/, "");
  return isAbsolute(plain) ? await realpath(plain).catch(() => plain) : plain;
}
