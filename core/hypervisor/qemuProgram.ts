// What the installed QEMU is: its version and its machine types. Asked once for each path.

import { requireTool, runToolChecked } from "../platform/tool.js";
import { hypervisorError } from "./hypervisorErrors.js";

export interface QemuProgram {
  /** Such as "7.2.22". */
  version: string;
  major: number;
  minor: number;
  machineTypes: ReadonlySet<string>;
  /** It can filter system calls (seccomp). */
  hasSandbox: boolean;
}

/** Devices as JSON came with 6.2; what is used with groups came with 7.2. */
export const MINIMUM_VERSION = [6, 2] as const;
export const GROUP_VERSION = [7, 2] as const;

const TOOL = "qemu-system-x86_64";
const known = new Map<string, Promise<QemuProgram>>();

/** TOOL_MISSING, HYPERVISOR_TOO_OLD, HYPERVISOR_FAILED when it does not say its version. */
export async function probeQemu(signal?: AbortSignal): Promise<QemuProgram> {
  const path = await requireTool(TOOL);
  const probe = known.get(path) ?? ask(signal);
  known.set(path, probe);
  try {
    return await probe;
  } catch (error) {
    known.delete(path);
    throw error;
  }
}

export function isOlder(
  { major, minor }: Pick<QemuProgram, "major" | "minor">,
  than: readonly [number, number],
): boolean {
  return major < than[0] || (major === than[0] && minor < than[1]);
}

async function ask(signal?: AbortSignal): Promise<QemuProgram> {
  const answer = await runToolChecked(TOOL, ["-version"], { signal });
  const match = /version (\d+)\.(\d+)(\.\d+)?/.exec(answer);
  if (match === null) throw hypervisorError("HYPERVISOR_FAILED", `${TOOL} does not say its version`);
  const program = { version: match[0].slice(8), major: Number(match[1]), minor: Number(match[2]) };
  if (isOlder(program, MINIMUM_VERSION)) {
    throw hypervisorError("HYPERVISOR_TOO_OLD", `QEMU ${program.version} is too old`, {
      data: { version: program.version },
      hint: `install QEMU ${MINIMUM_VERSION.join(".")} or newer`,
    });
  }
  const types = await runToolChecked(TOOL, ["-machine", "help"], { signal });
  const help = await runToolChecked(TOOL, ["-help"], { signal });
  const names = types.split("\n").map((line) => line.split(" ", 1)[0] ?? "");
  return {
    ...program,
    machineTypes: new Set(names.filter((name) => name !== "")),
    hasSandbox: /^-sandbox /m.test(help),
  };
}
