// A plain copy: the least a restore can cost.

import { join } from "node:path";
import { execute } from "../measure.js";
import type { BenchTool } from "./tool.js";

export const copy: BenchTool = {
  name: "cp",
  async describe() {
    const version = (await execute({ program: "cp", args: ["--version"] })).split("\n")[0]!;
    return `${version}, --sparse=always, then sync -f`;
  },
  restore(_folder, diskPath, _machine, target) {
    const result = join(target, "disk.raw");
    const args = ["--sparse=always", "--reflink=never", diskPath, result];
    return { command: { program: "cp", args, flush: target }, result };
  },
};
