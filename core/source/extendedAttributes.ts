// Reads extended attributes, for which Node has no call: `getfattr` is asked for many entries at once, through `xargs`, because
// names need not be text.

import { spawn } from "node:child_process";
import type { StoredAttribute } from "../format/treeAttributes.js";
import { findTool, toolEnvironment } from "../platform/tool.js";

/** An error of many files must not fill the memory. */
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;
const FILE_LINE = "# file: ";

/** Whether this machine can tell. */
export async function canReadAttributes(): Promise<boolean> {
  if (process.platform !== "linux") return false;
  return (await findTool("getfattr")) !== undefined && (await findTool("xargs")) !== undefined;
}

/** By position in `paths`; entries that have none, or are gone, have an empty list. Never follows a link. */
export async function readAttributesOf(
  paths: readonly Uint8Array[],
  signal?: AbortSignal,
): Promise<StoredAttribute[][]> {
  const [xargs, getfattr] = [await findTool("xargs"), await findTool("getfattr")];
  const nothing = paths.map((): StoredAttribute[] => []);
  if (xargs === undefined || getfattr === undefined || paths.length === 0) return nothing;
  const options = ["--absolute-names", "--no-dereference", "--dump", "--match=-", "--encoding=hex", "--"];
  const input = Buffer.concat(paths.flatMap((path) => [path, Buffer.of(0)]));
  const output = await outputOf(xargs, ["-0", "-r", getfattr, ...options], input, signal);
  const byPath = parseDump(output);
  return paths.map((path) => byPath.get(latin1(path)) ?? []);
}

/** What `getfattr --dump --encoding=hex` says: paths as text of one character a byte. */
export function parseDump(output: string): Map<string, StoredAttribute[]> {
  const byPath = new Map<string, StoredAttribute[]>();
  let current: StoredAttribute[] = [];
  for (const line of output.split("\n")) {
    if (line.startsWith(FILE_LINE)) {
      current = [];
      byPath.set(unescaped(line.slice(FILE_LINE.length)), current);
    } else if (line !== "") {
      const [, name = "", hex = ""] = /^(.*?)(?:=0x([0-9a-fA-F]*))?$/.exec(line) ?? [];
      if (name !== "") current.push({ name: Buffer.from(unescaped(name), "latin1"), value: Buffer.from(hex, "hex") });
    }
  }
  return byPath;
}

async function outputOf(
  program: string,
  args: readonly string[],
  input: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<string> {
  signal?.throwIfAborted();
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"], env: toolEnvironment(), signal });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  child.stdout.on("data", (part: Uint8Array) => {
    bytes += part.length;
    if (bytes > MAX_OUTPUT_BYTES) child.kill("SIGKILL");
    else parts.push(part);
  });
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  // Its exit code says whether some entry was gone, which others notice.
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve());
  });
  return latin1(Buffer.concat(parts));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** `\ooo`: a byte in octal digits. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
