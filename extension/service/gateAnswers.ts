// The gate of what is committed in a git work tree, compared with where its branch left the base. Nothing is written.

import { inertLine, RepriseError, runGate, systemEnvironment } from "../../core/index.js";
import type { GateData } from "./policyProtocol.js";
import type { ArgumentOf } from "./protocol.js";
import type { CallContext } from "./session.js";
import { VERSION } from "./version.js";

const NOBODY = { labels: [], description: null, by: "" };

export async function answerGate(
  { folder, configPath, gate, base }: ArgumentOf<"gate">,
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
