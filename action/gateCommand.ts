// `gate`: may this change go in? Which commits are compared, and who asks for an override, is told by the event; core decides.

import { type ChangeRange, RepriseError, runGate, systemEnvironment } from "../core/index.js";
import { checkoutOf } from "./checkout.js";
import type { CommandStep, Done } from "./commandStep.js";
import { hideConfigured } from "./configuration.js";
import type { PipelineEvent } from "./event.js";
import type { Inputs } from "./inputs.js";
import { VERSION } from "./version.js";
import { signingKeysFromVariables } from "./workSession.js";

export async function gateCommand(step: CommandStep): Promise<Done> {
  const { runner, inputs, event, signal } = step;
  const request = {
    ...(await checkoutOf(step)),
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
    onPolicy: (config) => hideConfigured(runner, config),
    signal,
    onWarning: ({ message }) => runner.log(`warning: ${message}`),
  });
  if (!isSigned && statements.length > 0) runner.debug("no signing key: the verdict's statement is not signed");
  return { report, statements, outputs: {} };
}

/**
 * What is given wins over the event. Only changes have a range by themselves: what is started by hand, by a schedule, a release or a
 * comment compares nothing, and before a tag nobody but its user knows what counts. CHANGES_UNKNOWN then.
 */
function rangeOf({ base, head }: Inputs, event: PipelineEvent): ChangeRange {
  const newest = head || event.head;
  if (!newest) throw changesUnknown("neither the event nor the inputs say which commits are meant");
  if (base !== "") return { compare: "merge-base", base, head: newest };
  if (event.tag !== null) {
    throw changesUnknown(`nothing says what the tag ${event.tag.slice(0, 100)} is compared with`, TAG_HINT);
  }
  if (REQUESTS.includes(event.name) && event.base !== null) {
    return { compare: "merge-base", base: event.base, head: newest };
  }
  if (event.name === "push" && (event.base !== null || event.isNewBranch)) {
    return { compare: "direct", base: event.base, head: newest };
  }
  throw changesUnknown(`the event ${event.name || "without a name"} does not say what has changed`);
}

const REQUESTS = ["pull_request", "pull_request_target", "merge_group"];
const TAG_HINT = "name in the input base the tag that was deployed last: whoever may push tags must not choose it";

function changesUnknown(
  message: string,
  hint = "give base and head, or run on pull_request, merge_group or push",
): RepriseError {
  return new RepriseError("unsupported", "CHANGES_UNKNOWN", message, { hint });
}
