// The commands that show, change and start something, by their names.

import type { Disposable, LogOutputChannel } from "vscode";
import { OverviewPanels } from "../overview/overviewPanels.js";
import { findMachine } from "../views/findMachine.js";
import type { Node } from "../views/nodes.js";
import { type ActionParts, chooseRepository } from "./actionParts.js";
import { BackupCommands } from "./backupCommands.js";
import { MakingCommands } from "./makingCommands.js";
import { RetentionCommands } from "./retentionCommands.js";
import { ServerCommands } from "./serverCommands.js";
import { SnapshotCommands } from "./snapshotCommands.js";

export interface ActionSurroundings extends ActionParts {
  log: LogOutputChannel;
  /** Keeps the passphrase of a repository and opens it. */
  unlock(location: string, passphrase: string): Promise<void>;
  /** Shows a row of the Backups view. */
  reveal(node: Node): Promise<void>;
  overviewTitle: string;
  keeperTitle: string;
}

type Register = (name: string, run: (node?: Node) => unknown) => Disposable;

/** `forgetServers`: the service has died. */
export function registerActions(
  given: ActionSurroundings,
  register: Register,
): { disposables: Disposable[]; forgetServers: () => void } {
  const { log, tree } = given;
  const overviews = new OverviewPanels({
    ...given,
    reveal: async ({ location }, machine) => {
      const node = await findMachine(tree, location, machine);
      if (node !== undefined) await given.reveal(node);
    },
  });
  const snapshots = new SnapshotCommands(given, log);
  const retention = new RetentionCommands(given, log);
  const backups = new BackupCommands(given, log);
  const making = new MakingCommands(given, given.unlock);
  const servers = new ServerCommands(given, log);
  const disposables = [
    overviews,
    servers.running,
    register("overview", async (node) => {
      const configured = await chooseRepository(node, given.overviewTitle);
      if (configured !== undefined) overviews.show(configured);
    }),
    register("backUpNow", (node) => backups.backUpNow(node)),
    register("verifySnapshot", (node) => snapshots.verifySnapshot(node)),
    register("verifyRepository", (node) => snapshots.verifyRepository(node)),
    register("protect", (node) => snapshots.setProtection(node, true)),
    register("unprotect", (node) => snapshots.setProtection(node, false)),
    register("editNotes", (node) => snapshots.editNotes(node)),
    register("editTags", (node) => snapshots.editTags(node)),
    register("forget", (node) => snapshots.forget(node)),
    register("prune", (node) => retention.prune(node)),
    register("gc", (node) => retention.collect(node)),
    register("serveNbd", (node) => servers.serveNbd(node)),
    register("stopNbd", () => servers.stopNbd()),
    register("stopMachine", () => servers.stopMachine()),
    register("showRunning", () => servers.running.show()),
    register("giveKeeperKey", async (node) => {
      const configured = await chooseRepository(node, given.keeperTitle);
      if (configured !== undefined && (await given.keepers.give(configured))) tree.redraw();
    }),
    register("boot", (node) => servers.boot(node)),
    register("initRepository", () => making.init()),
    register("makeDemo", () => making.makeDemo()),
    register("openWalkthrough", () => making.openWalkthrough()),
  ];
  return { disposables, forgetServers: () => servers.running.clear() };
}
