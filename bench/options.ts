// The command line of the bench.

import { parseArgs } from "node:util";
import { borg } from "./tools/borg.js";
import { copy } from "./tools/copy.js";
import { reprise, repriseS3 } from "./tools/reprise.js";
import { restic, resticS3 } from "./tools/restic.js";
import type { BenchTool } from "./tools/tool.js";

const tools: BenchTool[] = [reprise, restic, borg, copy, repriseS3, resticS3];
const scaleParts = ["large", "empty", "index", "snapshots"];
/** A word for several tools that only say something together. */
const groups: Record<string, string[]> = { s3: [reprise.name, repriseS3.name, resticS3.name] };
const quickNames = [reprise.name, restic.name, copy.name];

export interface BenchOptions {
  rounds: number;
  tools: BenchTool[];
  scale: string[];
  files: boolean;
  quick: boolean;
}

export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { rounds: { type: "string" }, only: { type: "string" }, quick: { type: "boolean", default: false } },
  });
  const known = [...tools.map((tool) => tool.name), ...scaleParts, "files"];
  const given = values.only?.split(",") ?? (values.quick ? quickNames : known);
  const names = given.flatMap((name) => groups[name] ?? [name]);
  const unknown = names.filter((name) => !known.includes(name));
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
    throw new Error(`--only takes ${[...known, ...Object.keys(groups)].join(",")}; --rounds a number above 0`);
  }
  return {
    rounds,
    tools: tools.filter((tool) => names.includes(tool.name)),
    scale: scaleParts.filter((part) => names.includes(part)),
    files: names.includes("files"),
    quick: values.quick,
  };
}
