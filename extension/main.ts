// Where the editor begins: makes the parts and registers them, nothing else. The core runs in a worker that starts when the first
// repository is opened.

import { commands, type ExtensionContext, l10n, MarkdownString, tasks, Uri, window, workspace } from "vscode";
import { logText, showError } from "./adapt/errors.js";
import { isTrusted } from "./commands/actionParts.js";
import { PlaceChooser } from "./commands/chosenPlace.js";
import { FileCommands } from "./commands/fileCommands.js";
import { KeeperKeys } from "./commands/keeperKeys.js";
import { registerActions } from "./commands/registerActions.js";
import { RepositoryCommands } from "./commands/repositoryCommands.js";
import { askToOpen } from "./files/largeFiles.js";
import { RepriseFileSystem } from "./files/repriseFileSystem.js";
import { registerFileWork } from "./fileWork.js";
import { SCHEME } from "./model/repriseUri.js";
import { ServiceStops } from "./model/serviceStops.js";
import { MachineStates } from "./policy/machineStates.js";
import { Policies } from "./policy/policies.js";
import { policyHelp } from "./policy/policyHelp.js";
import { configuredRepositories } from "./repositories/configured.js";
import { DemoFolders } from "./repositories/demoFolders.js";
import { OpenRepositories } from "./repositories/openRepositories.js";
import { restoreTests } from "./restoreTests/restoreTests.js";
import { Passphrases } from "./secrets/passphrases.js";
import { ServiceClient } from "./service/client.js";
import { JobTasks } from "./tasks/jobTasks.js";
import { dragOut } from "./views/dragOut.js";
import type { Node } from "./views/nodes.js";
import { RepositoriesTree } from "./views/repositoriesTree.js";
import { registerTreeFilter } from "./views/treeFilter.js";

let service: ServiceClient | undefined;

export function activate(context: ExtensionContext): void {
  const stops = new ServiceStops();
  const log = window.createOutputChannel("Reprise", { log: true });
  const client = new ServiceClient(context.asAbsolutePath("dist/extension/service.mjs"), {
    onWarning: ({ code, message }) => log.warn(`${code}: ${message}`),
    onStopped: (error) => {
      log.error(logText(error));
      stops.note(Date.now());
      repositories.forgetAll();
      actions.forgetServers();
    },
  });
  service = client;
  const passphrases = new Passphrases(context.secrets);
  const repositories = new OpenRepositories(client, passphrases, context.globalState);
  const tree = new RepositoriesTree(client, repositories);
  const view = window.createTreeView<Node>("reprise.repositories", {
    treeDataProvider: tree,
    showCollapseAll: true,
    dragAndDropController: dragOut,
  });
  const files = new RepriseFileSystem(client, repositories, askToOpen, (error, isNew) => {
    if (isNew) void showError(error, log);
    else log.error(logText(error));
  });
  const isReadonly = new MarkdownString(l10n.t("Backups cannot be changed."));
  const options = { isReadonly, isCaseSensitive: true };

  const demos = new DemoFolders(context.globalState, context.globalStorageUri);
  const repositoryCommands = new RepositoryCommands(repositories, passphrases, tree, demos, log);
  const places = new PlaceChooser(client, repositories, () => view.selection[0]);
  const fileCommands = new FileCommands(repositories, places);
  const keepers = new KeeperKeys(repositories, passphrases);
  const withTrust = commandsThatNeedTrust(context);
  const register = <T extends unknown[]>(name: string, run: (...given: T) => unknown) =>
    commands.registerCommand(`${SCHEME}.${name}`, async (...given: T) => {
      try {
        // hidden and disabled is not refused: any extension can call it
        if (withTrust.has(`${SCHEME}.${name}`) && !(await isTrusted())) return undefined;
        return await run(...given);
      } catch (error) {
        return void showError(error, log, name);
      }
    });

  const bundled = Uri.joinPath(context.extensionUri, "dist", "extension", "reprise.mjs");
  const policies = new Policies(client);
  const states = new MachineStates({ client, repositories, stops, log });
  const known = { client, repositories, policies, states, register };
  const storage = context.storageUri ?? context.globalStorageUri;
  const tested = restoreTests({ ...known, memory: context.workspaceState, storage });

  const actions = registerActions(
    {
      ...{ client, repositories, tree, keepers, log, demos, extensionUri: context.extensionUri, choose: places },
      policies,
      unlock: async (location, passphrase) => {
        await repositories.unlock({ location, name: location }, passphrase);
      },
      reveal: (node) => Promise.resolve(view.reveal(node, { focus: true, expand: true })),
      overviewTitle: l10n.t("Overview of which repository?"),
      keeperTitle: l10n.t("Keeper's key of which repository?"),
    },
    register,
  );

  context.subscriptions.push(
    log,
    { dispose: () => client.close() },
    tree,
    view,
    files,
    workspace.registerFileSystemProvider(SCHEME, files, options),
    workspace.onDidChangeConfiguration((change) => {
      if (!change.affectsConfiguration("reprise.repositories")) return;
      tree.redraw();
      setContexts();
    }),
    ...registerTreeFilter({ tree, view, register }),
    ...registerFileWork({ client, repositories, view, log, register }),
    register("addRepository", () => repositoryCommands.add()),
    register("removeRepository", (node?: Node) => repositoryCommands.remove(node)),
    register("unlockRepository", (node?: Node) => repositoryCommands.unlock(node)),
    register("refresh", (node?: Node) => tree.refresh(node?.kind === "repository" ? node : undefined)),
    register("showMore", (node: Node) => (node.kind === "more" ? tree.showMore(node) : undefined)),
    register("openFile", (node?: Node) => fileCommands.open(node)),
    register("openPart", (node?: Node) => fileCommands.openPart(node)),
    register("openInWorkspace", (node?: Node) => fileCommands.openInWorkspace(node)),
    register("goToPath", (node?: Node) => fileCommands.goToPath(node)),
    register("showLog", () => log.show()),
    ...actions.disposables,
    ...[policies, states, ...tested.parts],
    tasks.registerTaskProvider(JobTasks.type, new JobTasks({ policies, passphrases, bundled })),
    ...policyHelp({ ...known, stops, log, lastResult: tested.lastResult, extensionUri: context.extensionUri }),
  );
  setContexts();
}

/** Ends what runs: servers, and machines started from backups. */
export async function deactivate(): Promise<void> {
  await service?.close();
}

/** As the manifest declares it. */
function commandsThatNeedTrust({ extension }: ExtensionContext): ReadonlySet<string> {
  const declared = extension.packageJSON.contributes.commands as { command: string; enablement?: string }[];
  return new Set(declared.filter((each) => each.enablement === "isWorkspaceTrusted").map(({ command }) => command));
}

/** What menus and the palette ask for. */
function setContexts(): void {
  void commands.executeCommand("setContext", "reprise.hasRepositories", configuredRepositories().length > 0);
}
