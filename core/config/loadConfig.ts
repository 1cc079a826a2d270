// A configuration from a file on disk, with the files that it names beside it.

import { isAbort, RepriseError } from "../errors.js";
import { readInputFile } from "../platform/inputFile.js";
import { filesBeside, MAX_CONFIG_BYTES } from "./configFiles.js";
import { type ConfigProblem, configProblems, readConfig } from "./readConfig.js";
import type { RepriseConfig } from "./repriseConfig.js";

/** Where it is when nobody names it. */
export const DEFAULT_CONFIG_PATH = "reprise.yml";

/** CONFIG_INVALID, CONFIG_UNREADABLE. */
export async function loadConfig(path: string, signal: AbortSignal): Promise<RepriseConfig> {
  return await readConfig(await readText(path, signal), { fileName: path, ...filesBeside(path, signal) });
}

/** What there is to say about it, see configProblems. CONFIG_UNREADABLE. */
export async function checkConfigFile(path: string, signal: AbortSignal): Promise<ConfigProblem[]> {
  return await configProblems(await readText(path, signal), { fileName: path, ...filesBeside(path, signal) });
}

/** Whether a file looks like a configuration, and not like a restore-test spec: by the keys that it begins lines with. */
export function looksLikeConfig(text: string): boolean {
  return (
    /^["']?(repositories|machines|jobs|restore-tests|gates|notifications|evidence|time-zone)["']?[ \t]*:/m.test(text) &&
    !/^["']?(apiVersion|kind|metadata|spec)["']?[ \t]*:/m.test(text)
  );
}

async function readText(path: string, signal: AbortSignal): Promise<string> {
  const bytes = await readBytes(path, signal);
  if (bytes.length > MAX_CONFIG_BYTES) throw unreadable(path, "it is larger than 1 MiB");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw unreadable(path, "it is not text in UTF-8", cause);
  }
}

async function readBytes(path: string, signal: AbortSignal): Promise<Uint8Array> {
  try {
    return await readInputFile(path, { maxBytes: MAX_CONFIG_BYTES, signal });
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    throw unreadable(path, String((cause as { code?: unknown }).code ?? "unknown error"), cause);
  }
}

function unreadable(path: string, why: string, cause?: unknown): RepriseError {
  return new RepriseError("usage", "CONFIG_UNREADABLE", `the configuration ${path} cannot be read (${why})`, {
    data: { path },
    hint: "check the path; docs/configuration.md shows what a configuration looks like",
    cause,
  });
}
