// `gate`: may this change go in? Which commits are compared, and who asks for an override, is told by the event; core decides.

import { type ChangeRange, RepriseError, runGate, systemEnvironment } from "../core/index.js";
import type { CommandStep, Done } from "./commandStep.js";
import type { PipelineEvent } from "./event.js";
import type { Inputs } from "./inputs.js";
import { VERSION } from "./version.js";
import { signingKeysFromVariables } from "./workSession.js";

export async function gateCommand(step: CommandStep): Promise<Done> {
  const { runner, inputs, event, signal } = step;
  const request = {
    folder: runner.env.GITHUB_WORKSPACE || process.cwd(),
    configPath: inputs.config,
    gate: inputs.gate === "" ? null : inputs.gate,
    range: rangeOf(inputs, event),
    defaultBranch: event.defaultBranch,
    policyFrom: inputs.policyFrom,
    override: {
      labels: event.pullRequest?.labels ?? [],
      description: event.pullRequest?.description ?? null,
      by: event.actor,
    },
    url: event.url,
  };
  const { report, statements, isSigned } = await runGate(request, {
    remote: "origin",
    env: runner.env,
    environment: systemEnvironment(VERSION),
    signingKeys: await signingKeysFromVariables(step),
    signal,
    onWarning: ({ message }) => runner.log(`warning: ${message}`),
  });
  if (!isSigned && statements.length > 0) runner.debug("no signing key: the verdict's statement is not signed");
  return { report, statements, outputs: {} };
}

/** What is given wins over the event. CHANGES_UNKNOWN when neither says which commit is meant. */
function rangeOf({ base, head }: Inputs, event: PipelineEvent): ChangeRange {
  const newest = head || event.head;
  if (newest === null || newest === "") {
    throw new RepriseError(
      "unsupported",
      "CHANGES_UNKNOWN",
      "neither the event nor the inputs say which commits are meant",
      {
        hint: "give base and head, or run on pull_request, merge_group or push",
      },
    );
  }
  if (base !== "") return { compare: "merge-base", base, head: newest };
  if (event.tag !== null && head === "") return { compare: "tag", base: null, head: newest };
  const isRequest = event.name.startsWith("pull_request") || event.name === "merge_group";
  return { compare: isRequest ? "merge-base" : "direct", base: event.base, head: newest };
}
