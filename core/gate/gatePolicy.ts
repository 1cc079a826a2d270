// The policy of a gate as one commit has it: reprise.yml, the files it names, and the trusted keys. By default that is the base commit, so
// that a change cannot rewrite the gate it has to pass.

import { realpath } from "node:fs/promises";
import { posix, relative, resolve, sep } from "node:path";
import { MAX_CONFIG_BYTES, MAX_NAMED_FILE_BYTES } from "../config/configFiles.js";
import { readConfig } from "../config/readConfig.js";
import type { GateConfig, RepriseConfig } from "../config/repriseConfig.js";
import { isAbort, isOurError, RepriseError } from "../errors.js";
import { VerificationKey } from "../evidence/signingKey.js";
import { listTree, readFileAt } from "../git/gitObjects.js";
import type { GitRepository } from "../git/gitRepository.js";
import { shortLine } from "../report/inertText.js";
import type { GateReason } from "./provenTests.js";

export interface GatePolicy {
  config: RepriseConfig;
  gate: GateConfig;
  keys: readonly VerificationKey[];
  /** Keys that cannot be read. */
  problems: readonly GateReason[];
  commit: string;
  /** Of the file, from the repository's top. */
  path: string;
}

export interface PolicyPlace {
  repository: GitRepository;
  commit: string;
  /** From the repository's top, with `/`. */
  path: string;
}

/** Where a file of the work tree stands in the repository; it need not be there. GATE_POLICY_MISSING when it is outside. */
export async function pathInRepository(repository: GitRepository, folder: string, path: string): Promise<string> {
  const inside = relative(repository.folder, resolve(await realpath(folder), path));
  const parts = inside.split(sep);
  if (inside !== "" && parts[0] !== ".." && resolve(inside) !== inside) return parts.join("/");
  throw policyMissing(`${shortLine(path, 200)} is not in the git repository ${repository.folder}`);
}

/** GATE_POLICY_MISSING, GATE_UNKNOWN, CONFIG_INVALID. `name`: null when there is but one gate. */
export async function readGatePolicy(
  place: PolicyPlace,
  name: string | null,
  options: { nowMs: number; signal?: AbortSignal },
): Promise<GatePolicy> {
  const { repository, commit, path } = place;
  const bytes = await readFileAt(repository, commit, path, { maxBytes: MAX_CONFIG_BYTES, signal: options.signal });
  if (bytes === null) throw policyMissing(`there is no ${path} in the commit ${commit.slice(0, 12)}`);
  const files = filesAt(place, options.signal);
  const config = await readConfig(new TextDecoder().decode(bytes), { fileName: path, nowMs: options.nowMs, ...files });
  const gate = chosenGate(config, name);
  const { keys, problems } = await readKeys(gate, files.readFile);
  return { config, gate, keys, problems, commit, path };
}

function filesAt({ repository, commit, path }: PolicyPlace, signal: AbortSignal | undefined) {
  const base = posix.dirname(path);
  const readFile = async (name: string): Promise<Uint8Array> => {
    const inside = posix.normalize(posix.join(base, name));
    const isOutside = posix.isAbsolute(name) || inside === ".." || inside.startsWith("../");
    if (isOutside) throw fileMissing(name, "is outside of the git repository");
    const bytes = await readFileAt(repository, commit, inside, { maxBytes: MAX_NAMED_FILE_BYTES, signal });
    if (bytes === null) throw fileMissing(name, `is not in the commit ${commit.slice(0, 12)}`);
    return bytes;
  };
  const listFiles = async (folder: string): Promise<string[]> => {
    const inside = posix.normalize(posix.join(base, folder));
    const prefix = inside === "." ? "" : `${inside.replace(/\/$/, "")}/`;
    const entries = await listTree(repository, commit, { signal, withSizes: false });
    const found = entries.filter((entry) => entry.kind === "file" && entry.path.startsWith(prefix));
    return found.map((entry) => posix.relative(base, entry.path));
  };
  return { readFile, listFiles };
}

function chosenGate({ gates, fileName }: RepriseConfig, name: string | null): GateConfig {
  const found = name === null ? (gates.length === 1 ? gates[0] : undefined) : gates.find((gate) => gate.name === name);
  if (found !== undefined) return found;
  const what =
    name === null ? `${fileName} has ${gates.length} gates` : `${fileName} has no gate ${shortLine(name, 100)}`;
  throw new RepriseError("usage", "GATE_UNKNOWN", what, {
    data: { gates: gates.map((gate) => gate.name) },
    hint: gates.length === 0 ? "write one below gates:" : `name one of: ${gates.map((gate) => gate.name).join(", ")}`,
  });
}

/** A key that cannot be read shuts the gate; it is not left out, or fewer signatures might do. */
async function readKeys(
  { keys: paths }: GateConfig,
  readFile: (path: string) => Promise<Uint8Array>,
): Promise<{ keys: VerificationKey[]; problems: GateReason[] }> {
  const keys: VerificationKey[] = [];
  const problems: GateReason[] = [];
  for (const path of paths) {
    try {
      keys.push(VerificationKey.fromPem(new TextDecoder().decode(await readFile(path))));
    } catch (error) {
      if (isAbort(error) || !isOurError(error)) throw error;
      const message = `the key ${shortLine(path, 200)} cannot be used: ${shortLine(error.message, 300)}`;
      problems.push({ code: "key-unreadable", message });
    }
  }
  return { keys, problems };
}

export function policyMissing(what: string): RepriseError {
  return new RepriseError("not-found", "GATE_POLICY_MISSING", `the gate has no policy: ${what}`, {
    hint: "the policy counts as it is in the base commit: commit it there first, or say that it is read from head",
  });
}

function fileMissing(path: string, what: string): RepriseError {
  return new RepriseError("not-found", "GATE_POLICY_MISSING", `${shortLine(path, 200)} ${what}`);
}
