// Restore-test specs as they are named on a command line, narrowed to what its options ask for.

import { createHash } from "node:crypto";
import {
  isAbort,
  loadConfig,
  looksLikeConfig,
  narrowSpec,
  type RepriseConfig,
  RepriseError,
  type RestoreTestSpec,
  readInputFile,
  readRestoreTestSpecs,
  type TestLevel,
} from "../core/index.js";
import { usageError } from "./given/given.js";

const MAX_SPEC_BYTES = 1024 * 1024;

export interface SpecFile {
  path: string;
  /** SHA-256 of the file, hex. */
  digest: string;
  spec: RestoreTestSpec;
}

export interface ReadSpecs {
  files: SpecFile[];
  /** The configurations among the files. */
  configs: RepriseConfig[];
}

/**
 * All specs of the files, in order; also those of configurations (reprise.yml). SPEC_INVALID, CONFIG_INVALID; SPEC_UNREADABLE for a
 * file that is not there or far too large.
 */
export async function readSpecFiles(paths: readonly string[], signal: AbortSignal): Promise<ReadSpecs> {
  const files: SpecFile[] = [];
  const configs: RepriseConfig[] = [];
  for (const path of paths) {
    const bytes = await readBytes(path, signal);
    const text = new TextDecoder().decode(bytes);
    if (looksLikeConfig(text)) {
      const config = await loadConfig(path, signal);
      configs.push(config);
      files.push(
        ...config.restoreTests.map(({ fileName, specDigest, spec }) => ({ path: fileName, digest: specDigest, spec })),
      );
    } else {
      const digest = createHash("sha256").update(bytes).digest("hex");
      const specs = await readRestoreTestSpecs(text, path);
      files.push(...specs.map((spec) => ({ path, digest, spec })));
    }
  }
  if (files.length === 0 && configs.length > 0) {
    throw usageError(`${configs[0]!.fileName} has no restore tests`, "write them below restore-tests");
  }
  return { files, configs };
}

/** Those with the names; all of them when none is given. Usage errors for names that no spec has. */
export function specsNamed(files: readonly SpecFile[], names: readonly string[]): SpecFile[] {
  const unknown = names.find((name) => !files.some(({ spec }) => spec.name === name));
  if (unknown !== undefined) {
    throw usageError(
      `there is no restore test ${unknown}`,
      `there are: ${files.map(({ spec }) => spec.name).join(", ")}`,
    );
  }
  return files.filter(({ spec }) => names.length === 0 || names.includes(spec.name));
}

export interface Narrowing {
  machines: readonly string[];
  level: TestLevel | undefined;
  /** As on the command line, without the machine. */
  snapshot: string | undefined;
}

/** A machine brings those it depends on. Usage errors for machines that no spec has. */
export function narrowSpecs(files: readonly SpecFile[], { machines, level, snapshot }: Narrowing): SpecFile[] {
  const known = files.flatMap(({ spec }) => spec.machines.map(({ machine }) => machine));
  const unknown = machines.find((machine) => !known.includes(machine));
  if (unknown !== undefined) {
    throw usageError(`no spec has the machine ${unknown}`, `there are: ${[...new Set(known)].join(", ")}`);
  }
  return files
    .map((file) => ({ ...file, spec: narrowed(file.spec, { machines, level, snapshot }) }))
    .filter(({ spec }) => spec.machines.length > 0);
}

function narrowed(spec: RestoreTestSpec, { machines, level, snapshot }: Narrowing): RestoreTestSpec {
  const overridden = narrowSpec(spec, machines).machines.map((test) => ({
    ...test,
    level: level ?? test.level,
    snapshot: snapshot === undefined ? test.snapshot : choiceOf(snapshot),
  }));
  return { ...spec, machines: overridden };
}

function choiceOf(text: string): RestoreTestSpec["machines"][number]["snapshot"] {
  if (text === "latest" || text === "oldest" || text === "random" || text === "rolling") return { kind: text };
  return { kind: "named", name: text };
}

async function readBytes(path: string, signal: AbortSignal): Promise<Uint8Array> {
  try {
    return await readInputFile(path, { maxBytes: MAX_SPEC_BYTES, signal });
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    const reason = (cause as NodeJS.ErrnoException).code ?? "too large";
    throw new RepriseError("usage", "SPEC_UNREADABLE", `the spec ${path} cannot be read (${reason})`, {
      data: { path },
      hint: "check the path; docs/restore-tests.md shows what a spec looks like",
      cause,
    });
  }
}
