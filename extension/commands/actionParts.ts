// What all actions share: the service, who is asked what an action is about, progress with cancel, and trust.

import { commands, env, l10n, ProgressLocation, type Uri, window, workspace } from "vscode";
import { withSignal } from "../adapt/cancellation.js";
import { sizeText } from "../model/words.js";
import type { Policies } from "../policy/policies.js";
import type { ConfiguredRepository } from "../repositories/configured.js";
import type { DemoFolders } from "../repositories/demoFolders.js";
import type { OpenRepositories } from "../repositories/openRepositories.js";
import type { CallOptions, ServiceClient } from "../service/client.js";
import type { Handle, ProgressData, SnapshotData } from "../service/protocol.js";
import { type Node, repositoryOf } from "../views/nodes.js";
import type { RepositoriesTree } from "../views/repositoriesTree.js";
import type { KeeperKeys } from "./keeperKeys.js";
import { pickRepository } from "./pickRepository.js";

export interface ActionParts {
  client: ServiceClient;
  repositories: OpenRepositories;
  tree: RepositoriesTree;
  keepers: KeeperKeys;
  policies: Policies;
  /** Of the installed extension. */
  extensionUri: Uri;
  demos: DemoFolders;
  choose: {
    snapshot(given: Node | undefined, title: string): Promise<TargetSnapshot | undefined>;
    machine(given: Node | undefined, title: string): Promise<TargetMachine | undefined>;
    knownMachine(given: Node | undefined): TargetMachine | undefined;
  };
}

export interface TargetSnapshot {
  configured: ConfiguredRepository;
  snapshot: SnapshotData;
}

export interface TargetMachine {
  configured: ConfiguredRepository;
  machine: string;
}

/** Of a row, the only one there is, or one that is picked. */
export async function chooseRepository(
  given: Node | undefined,
  title: string,
): Promise<ConfiguredRepository | undefined> {
  if (given !== undefined) return repositoryOf(given).configured;
  return await pickRepository(title);
}

/** Shows a notification that can be cancelled while `work` goes on with an open repository. */
export async function runOn<T>(
  { repositories }: ActionParts,
  configured: ConfiguredRepository,
  title: string,
  work: (repository: Handle, options: CallOptions) => Promise<T>,
): Promise<T> {
  return await running(title, (options) => repositories.use(configured, ({ handle }) => work(handle, options)));
}

/** The same for what writes: whatever becomes of it, everybody who shows the repository is told. */
export async function writeTo<T>(
  parts: ActionParts,
  configured: ConfiguredRepository,
  title: string,
  work: (repository: Handle, options: CallOptions) => Promise<T>,
): Promise<T> {
  try {
    return await runOn(parts, configured, title, work);
  } finally {
    parts.repositories.changedContents(configured.location);
  }
}

export async function running<T>(title: string, work: (options: CallOptions) => Promise<T>): Promise<T> {
  const location = ProgressLocation.Notification;
  return await window.withProgress({ location, title, cancellable: true }, (progress, token) =>
    withSignal(token, (signal) => {
      let percent = 0;
      const onProgress = (event: ProgressData) => {
        const now = event.total ? Math.min(100, (100 * event.done) / event.total) : percent;
        progress.report({ message: amountText(event), increment: Math.max(0, now - percent) });
        percent = Math.max(percent, now);
      };
      return work({ signal, onProgress });
    }),
  );
}

function amountText({ done, total, unit }: ProgressData): string {
  const text = (amount: number) =>
    unit === "bytes" ? sizeText(amount, env.language) : amount.toLocaleString(env.language);
  return total === undefined ? text(done) : l10n.t("{0} of {1}", text(done), text(total));
}

/** False, and says so: nothing is written or started for a workspace that nobody trusts. */
export async function isTrusted(): Promise<boolean> {
  if (workspace.isTrusted) return true;
  const manage = l10n.t("Manage Workspace Trust");
  const text = l10n.t("This workspace is not trusted: nothing is written or started from it.");
  if ((await window.showWarningMessage(text, manage)) === manage)
    await commands.executeCommand("workbench.trust.manage");
  return false;
}

/** A modal question; true: the button was chosen. */
export async function confirmed(question: string, detail: string, button: string): Promise<boolean> {
  return (await window.showWarningMessage(question, { modal: true, detail }, button)) === button;
}
