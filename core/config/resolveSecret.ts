// From the name of a secret to the secret. Errors tell the name, never the value.

import { dirname, resolve } from "node:path";
import { isOurError, RepriseError } from "../errors.js";
import type { RepriseConfig, SecretReference } from "./repriseConfig.js";
import { readSecretFile } from "./secretFile.js";
import { formatSecretReference } from "./secretReference.js";
import type { Variables } from "./usualVariables.js";

export interface SecretSurroundings {
  env: Variables;
  /** Relative paths start here: the folder of the configuration. */
  folder: string;
  signal: AbortSignal;
}

/** The secret, without one newline at its end when it comes from a file. SECRET_MISSING, SECRET_UNREADABLE. */
export async function resolveSecret(reference: SecretReference, surroundings: SecretSurroundings): Promise<string> {
  const { env, folder, signal } = surroundings;
  if (reference.kind === "env") {
    const value = env[reference.name];
    if (value) return value;
    throw new RepriseError("key", "SECRET_MISSING", `the variable ${reference.name} is not set`, {
      data: { reference: formatSecretReference(reference) },
      hint: "set it, in a pipeline from its store of secrets",
    });
  }
  try {
    return await readSecretFile(resolve(folder, reference.path), signal);
  } catch (cause) {
    if (!isOurError(cause)) throw cause;
    throw new RepriseError(
      "key",
      "SECRET_UNREADABLE",
      `the secret ${formatSecretReference(reference)} cannot be read`,
      {
        data: { reference: formatSecretReference(reference) },
        hint: "check the path, which is relative to the configuration, and its permissions",
        cause,
      },
    );
  }
}

/** The folder that relative paths of a configuration start from: that of its file. */
export function folderOfConfig({ fileName }: Pick<RepriseConfig, "fileName">): string {
  return resolve(dirname(fileName));
}
