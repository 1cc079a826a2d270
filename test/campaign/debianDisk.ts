// A real Debian disk of 4 GiB: the one that the benchmark uses, built when it is not there.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { inProject } from "../support/projectRoot.js";

/** Read it or copy it. */
export async function debianDisk(): Promise<string> {
  const path = inProject(".cache", "bench", "shop.raw");
  if (existsSync(path)) return path;
  console.log("building a Debian disk (some minutes)");
  await mkdir(inProject(".cache", "bench"), { recursive: true });
  execFileSync(inProject("test", "fixtures", "makeDebianDisk.sh"), [`${path}.new`, "--machine", "shop"], {
    stdio: "inherit",
  });
  await rename(`${path}.new`, path);
  return path;
}
