// Configurations for tests: read from a text, with the files that they name in a map.

import { type ConfigProblem, configProblems, readConfig } from "../../core/config/readConfig.js";
import type { RepriseConfig } from "../../core/config/repriseConfig.js";

export type NamedFiles = Readonly<Record<string, string>>;

const PUBLIC_KEY = "-----BEGIN PUBLIC KEY-----\n";

export function optionsWith(files: NamedFiles = {}) {
  const all: NamedFiles = { "keys/evidence.pub": PUBLIC_KEY, ...files };
  return {
    fileName: "reprise.yml",
    nowMs: Date.UTC(2026, 10, 22),
    readFile: async (path: string) => {
      const text = all[path];
      if (text === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
      return new TextEncoder().encode(text);
    },
    listFiles: async (folder: string) =>
      Object.keys(all).filter((path) => folder === "." || path.startsWith(`${folder}/`)),
  };
}

export async function configOf(text: string, files?: NamedFiles): Promise<RepriseConfig> {
  return await readConfig(text, optionsWith(files));
}

export async function problemsOf(text: string, files?: NamedFiles): Promise<ConfigProblem[]> {
  return await configProblems(text, optionsWith(files));
}

/** `line:column severity: message`, of each. */
export async function toldOf(text: string, files?: NamedFiles): Promise<string[]> {
  return (await problemsOf(text, files)).map(
    ({ file, line, column, severity, message }) =>
      `${file === "reprise.yml" ? "" : `${file}:`}${line}:${column} ${severity}: ${message}`,
  );
}
