// Where the checkout of a step begins: at the workspace, or below it where actions/checkout was given a path.

import { isAbsolute, join, posix } from "node:path";
import { isAbort, isOurError, openGitRepository } from "../core/index.js";
import type { CommandStep } from "./commandStep.js";

type Step = Pick<CommandStep, "runner" | "inputs" | "signal">;

/**
 * The first folder on the way to the configuration that is in a git repository; the workspace when none is. Never one further down: what
 * is inside of a checkout a change may replace by a link to another folder, with another policy.
 */
export async function checkoutOf(step: Step): Promise<Checkout> {
  for (const place of placesOnTheWay(step)) if (await isCheckout(place.folder, step.signal)) return place;
  return { folder: workspaceOf(step.runner), configPath: step.inputs.config };
}

/**
 * The same for jobs, which need git for publishing at most: the folder in which git has another trouble than that there is no repository
 * is answered, too, and the trouble is told when it is published from there.
 */
export async function publishingFolder(step: Step): Promise<string> {
  for (const { folder } of placesOnTheWay(step)) {
    try {
      if (await isCheckout(folder, step.signal)) return folder;
    } catch (error) {
      if (isAbort(error) || !isOurError(error)) throw error;
      return folder;
    }
  }
  return workspaceOf(step.runner);
}

export interface Checkout {
  folder: string;
  /** Relative to it, or absolute. */
  configPath: string;
}

function placesOnTheWay({ runner, inputs }: Step): Checkout[] {
  const workspace = workspaceOf(runner);
  if (isAbsolute(inputs.config)) return [{ folder: workspace, configPath: inputs.config }];
  const parts = posix.normalize(inputs.config).split("/");
  const depths = parts[0] === ".." ? [0] : [...parts.keys()];
  return depths.map((depth) => {
    return { folder: join(workspace, ...parts.slice(0, depth)), configPath: parts.slice(depth).join("/") };
  });
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
