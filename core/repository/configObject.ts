// The config object and its second copy: without one of them every verb but rescue.mjs stops. docs/format/config.md.

import { openEnvelope, sealEnvelope } from "../crypto/envelopeSeal.js";
import { type ErrorFamily, isAbort, isOurError, RepriseError } from "../errors.js";
import { decodeConfig, encodeConfig, type RepositoryConfig } from "../format/config.js";
import { folder, objectName } from "../format/ids.js";
import type { Backend } from "../storage/backend.js";
import type { OnWarning } from "./warnings.js";

export type ConfigName = typeof objectName.config | typeof objectName.configCopy;

export interface ReadConfigOptions {
  signal?: AbortSignal;
  onWarning?: OnWarning;
}

export function sealConfig(name: ConfigName, config: RepositoryConfig): Uint8Array {
  return sealEnvelope(name, "config", encodeConfig(config), null);
}

/**
 * The config, from its copy when the first one is missing or damaged (warning CONFIG_COPY_USED). REPOSITORY_NOT_FOUND or
 * CONFIG_MISSING when there is none, CONFIG_DAMAGED when none can be read.
 */
export async function readConfig(backend: Backend, options: ReadConfigOptions = {}): Promise<RepositoryConfig> {
  try {
    return await readOne(backend, objectName.config, options);
  } catch (error) {
    if (!isLost(error)) throw error;
    const copy = await readOne(backend, objectName.configCopy, options).catch((other: unknown) => {
      if (isLost(other)) return undefined;
      throw other;
    });
    if (copy === undefined) throw error.family === "unsupported" ? error : await noConfig(backend, options, error);
    const message = `${backend.location}: the config cannot be read (${error.message}); its copy is used. Run reprise repair config`;
    options.onWarning?.({ code: "CONFIG_COPY_USED", message, data: { object: objectName.config } });
    return copy;
  }
}

/** OBJECT_NOT_FOUND, or what openEnvelope and decodeConfig throw. */
export async function readOne(
  backend: Backend,
  name: ConfigName,
  options: { signal?: AbortSignal },
): Promise<RepositoryConfig> {
  return decodeConfig(openEnvelope(name, "config", await backend.get(name, options), null));
}

/** True when the place holds what only a repository has. */
export async function hasRemains(backend: Backend, options: { signal?: AbortSignal }): Promise<boolean> {
  for (const part of [folder.snapshots, folder.packs]) {
    for await (const _ of backend.list(part, options)) return true;
  }
  try {
    await backend.stat(objectName.configCopy, options);
    return true;
  } catch (error) {
    if (isOurError(error, "OBJECT_NOT_FOUND")) return false;
    throw error;
  }
}

/** What the bytes say; a storage that cannot be asked, a missing bucket or credentials among it, says nothing about them. */
const ABOUT_THE_BYTES: ReadonlySet<ErrorFamily> = new Set(["corrupt", "format", "unsupported"]);

/** Missing, damaged, or of another version, which one changed byte looks like. */
function isLost(error: unknown): error is RepriseError {
  if (isAbort(error) || !isOurError(error)) return false;
  return error.code === "OBJECT_NOT_FOUND" || ABOUT_THE_BYTES.has(error.family);
}

async function noConfig(backend: Backend, options: ReadConfigOptions, cause: RepriseError): Promise<RepriseError> {
  const { location } = backend;
  const hint = `restore the config object from a copy of the storage; until then rescue.mjs in ${location} can read the snapshots`;
  const data = { ...cause.data, object: objectName.config };
  if (cause.code !== "OBJECT_NOT_FOUND") {
    const message = `${location}: ${cause.message}; its copy cannot be read either`;
    return new RepriseError("corrupt", "CONFIG_DAMAGED", message, { data, hint, cause });
  }
  if (await hasRemains(backend, options)) {
    const message = `${location}: the config of this repository is missing`;
    return new RepriseError("corrupt", "CONFIG_MISSING", message, { data, hint, cause });
  }
  return new RepriseError("not-found", "REPOSITORY_NOT_FOUND", `${location}: there is no repository here`, {
    hint: "check the location, or make one with reprise init",
    cause,
  });
}
