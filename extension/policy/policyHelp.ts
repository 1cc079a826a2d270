// Help with reprise.yml and restore-test specs, put together.

import { type Disposable, type DocumentSelector, type LogOutputChannel, languages, type Uri, workspace } from "vscode";
import type { ServiceStops } from "../model/serviceStops.js";
import type { OpenRepositories } from "../repositories/openRepositories.js";
import type { ServiceClient } from "../service/client.js";
import { type LastResult, PolicyLenses } from "./codeLenses.js";
import { NameCompletions } from "./completions.js";
import { PolicyDiagnostics } from "./diagnostics.js";
import { GateStatus } from "./gateStatus.js";
import { PolicyHovers } from "./hovers.js";
import type { MachineStates } from "./machineStates.js";
import type { Policies } from "./policies.js";
import { SchemaCompletions } from "./schemaCompletions.js";

const DOCUMENTS: DocumentSelector = [
  { language: "yaml", scheme: "file" },
  { language: "yaml", scheme: "untitled" },
  { language: "json", scheme: "file", pattern: "**/*.restore-test.json" },
];

export interface PolicyHelpParts {
  client: ServiceClient;
  repositories: OpenRepositories;
  stops: ServiceStops;
  policies: Policies;
  states: MachineStates;
  log: LogOutputChannel;
  lastResult: LastResult;
  /** Of the installed extension. */
  extensionUri: Uri;
  register: (name: string, run: () => unknown) => Disposable;
}

export function policyHelp({
  client,
  repositories,
  stops,
  policies,
  states,
  log,
  lastResult,
  extensionUri,
  register,
}: PolicyHelpParts): Disposable[] {
  const diagnostics = new PolicyDiagnostics({ policies, states, log });
  const lenses = new PolicyLenses(policies, states, lastResult);
  const gate = new GateStatus({ client, repositories, policies, stops, log });
  const start = () => {
    diagnostics.showAll();
    void gate.start();
  };
  // after activation: reading files is not part of it
  const soon = setTimeout(start, 0);
  return [
    diagnostics,
    lenses,
    gate,
    { dispose: () => clearTimeout(soon) },
    languages.registerCompletionItemProvider(DOCUMENTS, new NameCompletions(policies, states), " ", "[", ","),
    languages.registerCompletionItemProvider(DOCUMENTS, new SchemaCompletions(extensionUri)),
    languages.registerHoverProvider(DOCUMENTS, new PolicyHovers(client, policies, states)),
    languages.registerCodeLensProvider(DOCUMENTS, lenses),
    workspace.onDidGrantWorkspaceTrust(() => void gate.start()),
    policies.onDidChange(() => void gate.start()),
    states.onDidChange(() => gate.factsChanged()),
    register("showGate", () => gate.showReasons()),
    register("checkGate", () => gate.check()),
  ];
}
