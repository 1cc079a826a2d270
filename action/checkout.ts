// Where the checkout of a step begins: at the workspace, or below it where actions/checkout was given a path.

import { isAbsolute, join, posix } from "node:path";
import { isAbort, isOurError, openGitRepository } from "../core/index.js";
import type { CommandStep } from "./commandStep.js";

type Step = Pick<CommandStep, "runner" | "inputs" | "signal">;

/**
 * The first folder on the way to the configuration that is in a git repository; the workspace when none is. Never one further down: what
 * is inside of a checkout a change may replace by a link to another folder, with another policy.
 */
export async function checkoutOf({ runner, inputs, signal }: Step): Promise<{ folder: string; configPath: string }> {
  const workspace = workspaceOf(runner);
  const parts = posix.normalize(inputs.config).split("/");
  const isBelow = !isAbsolute(inputs.config) && parts[0] !== "..";
  for (let depth = 0; depth < (isBelow ? parts.length : 1); depth++) {
    const folder = join(workspace, ...parts.slice(0, depth));
    if (await isCheckout(folder, signal)) return { folder, configPath: parts.slice(depth).join("/") };
  }
  return { folder: workspace, configPath: inputs.config };
}

/** The same for jobs, which need git for publishing at most: trouble with it is told then. */
export async function publishingFolder(step: Step): Promise<string> {
  try {
    return (await checkoutOf(step)).folder;
  } catch (error) {
    if (isAbort(error) || !isOurError(error)) throw error;
    return workspaceOf(step.runner);
  }
}

function workspaceOf({ env }: Step["runner"]): string {
  return env.GITHUB_WORKSPACE || process.cwd();
}

async function isCheckout(folder: string, signal: AbortSignal): Promise<boolean> {
  try {
    await openGitRepository(folder, { signal });
    return true;
  } catch (error) {
    if (isOurError(error, "GIT_REPOSITORY_MISSING")) return false;
    throw error;
  }
}
