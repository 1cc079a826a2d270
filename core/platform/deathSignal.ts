// Children that end with us: a wrapper command (util-linux setpriv) that asks the kernel to signal the child when the
// thread that started it ends, even by kill -9. The wrapper execs, so the child keeps its process id.

import { findTool, runTool } from "./tool.js";

/** What the child gives up as well: capabilities, and ways to win them. */
const fewerRights = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"];

const probes = new Map<string, Promise<string[]>>();

/** The words to put before a command; none when this system's setpriv does not know them. */
export function deathSignalWrapper(signalName: "TERM" | "KILL", { unprivileged = false } = {}): Promise<string[]> {
  const words = ["--pdeathsig", signalName, ...(unprivileged ? fewerRights : [])];
  const key = words.join(" ");
  const known = probes.get(key) ?? probe(words);
  probes.set(key, known);
  return known;
}

async function probe(words: readonly string[]): Promise<string[]> {
  const setpriv = await findTool("setpriv");
  if (setpriv === undefined) return [];
  const trial = await runTool("setpriv", [...words, setpriv, "--version"]).catch(() => undefined);
  return trial?.exitCode === 0 ? [setpriv, ...words] : [];
}
