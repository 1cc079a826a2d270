// Policies of the workspace that stand in a git repository which the editor has open, by where they really are: a workspace may be
// opened through a link.

import { realpath } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { type Uri, workspace } from "vscode";
import type { GitApi, GitRepository } from "../adapt/gitExtension.js";
import type { Policies } from "./policies.js";

export interface GatePlace {
  git: GitRepository;
  policy: Uri;
  /** Of the policy, below the git repository. */
  configPath: string;
  /** For people: where in the workspace. */
  label: string;
  /** What the file says now, or before a mistake was made in it; the policy of the base decides. */
  gates: readonly string[];
}

export async function findGatePlaces({ repositories }: GitApi, policies: Policies): Promise<GatePlace[]> {
  const roots = await Promise.all(
    repositories.map(async (git) => ({ git, path: await realFolder(git.rootUri.fsPath) })),
  );
  const readings = await policies.policies();
  const places = await Promise.all(
    readings.map(async ({ uri, data, lastSound }): Promise<GatePlace[]> => {
      if (uri.scheme !== "file") return [];
      const path = join(await realFolder(dirname(uri.fsPath)), basename(uri.fsPath));
      const root = roots
        .filter((each) => path.startsWith(each.path + sep))
        .sort((a, b) => b.path.length - a.path.length)[0];
      if (root === undefined) return [];
      const configPath = relative(root.path, path).split(sep).join("/");
      const { gates } = data.sound ? data : (lastSound ?? data);
      const label = workspace.asRelativePath(uri, true);
      return [{ git: root.git, policy: uri, configPath, label, gates: gates.map(({ name }) => name) }];
    }),
  );
  return places.flat();
}

async function realFolder(path: string): Promise<string> {
  return await realpath(path).catch(() => path);
}
