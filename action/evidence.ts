// Signed statements of a step go to the evidence branch: once, for all of its jobs.

import { isAbort, isOurError, publishEnvelopes, type ReportProblem, type SigningKey } from "../core/index.js";
import type { CommandStep } from "./commandStep.js";
import { problemOf } from "./failure.js";
import type { WorkSession } from "./workSession.js";

export interface Published {
  /** Tip of the branch; null: nothing was published. */
  commit: string | null;
  /** Why not, when it should have been. */
  problem: ReportProblem | null;
}

const NOTHING: Published = { commit: null, problem: null };

/** A job that was done is not undone because its evidence could not be published: that is a warning, or an error when it was asked for. */
export async function publishStatements(
  step: CommandStep,
  session: WorkSession,
  { envelopes, signingKeys }: { envelopes: readonly string[]; signingKeys: readonly SigningKey[] },
): Promise<Published> {
  const { runner, inputs, signal } = step;
  const { config, environment, options } = session;
  const wanted = inputs.publish ?? config.evidence.publish;
  if (!wanted || inputs.dryRun || signal.aborted) return NOTHING;
  if (signingKeys.length === 0)
    return inputs.publish === true ? { commit: null, problem: problemOf(KEY_MISSING) } : NOTHING;
  if (envelopes.length === 0) return NOTHING;
  const by = `${environment.host} (${environment.tool.name} ${environment.tool.version})`;
  const gitFolder = runner.env.GITHUB_WORKSPACE || process.cwd();
  try {
    const publication = { envelopes, signingKeys, gitFolder, by };
    const report = await publishEnvelopes(config, publication, {
      signal: options.signal,
      now: () => environment.now(),
    });
    runner.log(`evidence: ${report.added.length} statements on ${config.evidence.branch} (${report.status})`);
    return { commit: report.commit, problem: null };
  } catch (error) {
    // the work is done; that the step was cancelled is seen by its signal
    if (isAbort(error)) return NOTHING;
    return { commit: null, problem: notPublished(error, inputs.publish === true) };
  }
}

const KEY_MISSING = {
  code: "SIGNING_KEY_MISSING",
  message: "publish-evidence: true, and there is no signing key",
  hint: "set REPRISE_SIGNING_KEY in the environment of the step; reprise key signing generate makes one",
};

function notPublished(error: unknown, isAskedFor: boolean): ReportProblem {
  const { code, hint } = isOurError(error) ? error : { code: "INTERNAL_ERROR", hint: undefined };
  const message = `the evidence was not published: ${error instanceof Error ? error.message : String(error)}`;
  return problemOf({ severity: isAskedFor ? "error" : "warning", code, message, hint: hint ?? null });
}
