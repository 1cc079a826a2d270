// The config and its copy: whichever is missing or damaged is written again from what the repository was opened with.

import { isAbort, isOurError } from "../errors.js";
import { equalBytes } from "../format/bytes.js";
import { encodeConfig } from "../format/config.js";
import { objectName } from "../format/ids.js";
import { type ConfigName, readOne, sealConfig } from "../repository/configObject.js";
import type { Repository } from "../repository/repository.js";
import { requireKeeper } from "../repository/verdicts.js";

export interface ConfigRepair {
  object: ConfigName;
  /** What is wrong with it. */
  reason: string;
}

/** Empty when both are as they should be. What the repository was opened with has passed its MAC. */
export async function planRepairConfig(
  repository: Repository,
  options: { signal?: AbortSignal } = {},
): Promise<ConfigRepair[]> {
  const wrong: ConfigRepair[] = [];
  for (const object of [objectName.config, objectName.configCopy] as const) {
    const reason = await whatIsWrong(repository, object, options);
    if (reason !== null) wrong.push({ object, reason });
  }
  return wrong;
}

/** KEEPER_KEY_REQUIRED where there are two roles. */
export async function applyRepairConfig(
  repository: Repository,
  repairs: readonly ConfigRepair[],
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  if (repairs.length > 0) requireKeeper(repository, "repairing the config");
  // The copy first: replacing the config may leave it missing for a moment.
  for (const { object } of [...repairs].reverse())
    await repository.backend.put(object, sealConfig(object, repository.config), options);
}

async function whatIsWrong(
  repository: Repository,
  object: ConfigName,
  options: { signal?: AbortSignal },
): Promise<string | null> {
  try {
    const config = await readOne(repository.backend, object, options);
    const same = equalBytes(encodeConfig(config), encodeConfig(repository.config));
    return same ? null : "it is not the config that the repository was opened with";
  } catch (error) {
    if (isAbort(error) || !isOurError(error)) throw error;
    if (error.code === "OBJECT_NOT_FOUND") return "it is missing";
    if (error.family === "backend") throw error;
    return error.message;
  }
}
