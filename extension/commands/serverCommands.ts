// Commands that start what runs on until it is stopped: disks of a snapshot by NBD, and machines from one. Nothing of it outlives
// the window.

import { commands, env, type LogOutputChannel, l10n, ThemeIcon, window } from "vscode";
import { logText, showError } from "../adapt/errors.js";
import { toolFolder } from "../adapt/toolFolder.js";
import { withoutLinks } from "../model/harmlessText.js";
import { dateAndTime, timeOfDay } from "../model/words.js";
import type { BootData, NbdData } from "../service/actionsProtocol.js";
import { ServiceError } from "../service/client.js";
import type { ArgumentOf } from "../service/protocol.js";
import type { Node } from "../views/nodes.js";
import { type ActionParts, isTrusted, runOn, type TargetSnapshot } from "./actionParts.js";
import { BootTerminal } from "./bootTerminal.js";
import { copyWithWord, type RunningThing, RunningThings } from "./runningThings.js";

export class ServerCommands {
  readonly #parts: ActionParts;
  readonly #log: LogOutputChannel;
  readonly running = new RunningThings();
  #started = 0;

  constructor(parts: ActionParts, log: LogOutputChannel) {
    this.#parts = parts;
    this.#log = log;
  }

  async serveNbd(given?: Node): Promise<void> {
    const target = await this.#target(given, l10n.t("Serve which snapshot?"));
    if (target === undefined) return;
    const { configured, snapshot } = target;
    const title = l10n.t("Serving {0} by NBD", nameOf(target));
    const served = await runOn(this.#parts, configured, title, (repository, options) =>
      this.#parts.client.call(
        "startNbd",
        { repository, snapshot: snapshot.snapshotId },
        {
          ...options,
          onLate: ({ server }) => this.#stopLate("stopNbd", { server }),
        },
      ),
    );
    const thing: RunningThing = { kind: "nbd", served, stop: () => this.#stopServing(served, thing) };
    this.running.add(thing);
    for (const { uri } of served.disks) this.#log.info(`NBD: ${uri}`);
    // the command is done; the answer may take long
    this.#offer(served, thing).catch((error: unknown) => showError(error, this.#log));
  }

  /** It had started just before it was cancelled. */
  #stopLate<M extends "stopNbd" | "stopBoot">(method: M, argument: ArgumentOf<M>): void {
    this.#parts.client.call(method, argument).catch((error: unknown) => showError(error, this.#log));
  }

  async stopNbd(): Promise<void> {
    const thing = await this.running.pick(this.running.of("nbd"), l10n.t("Stop which NBD server?"));
    await thing?.stop();
  }

  async boot(given?: Node): Promise<void> {
    const target = await this.#target(given, l10n.t("Start which snapshot?"));
    if (target === undefined) return;
    const { configured, snapshot } = target;
    const question = l10n.t("Start {0} as a virtual machine?", nameOf(target));
    const detail = l10n.t(
      "QEMU starts it on this computer, straight from the backup. What it writes is thrown away when it ends. It reaches no network, and not this computer.",
    );
    const [console, screen] = [l10n.t("Start with Console"), l10n.t("Start with VNC Screen")];
    const chosen = await window.showWarningMessage(question, { modal: true, detail }, console, screen);
    if (chosen === undefined) return;
    const title = l10n.t("Starting {0}", nameOf(target));
    const argument = { snapshot: snapshot.snapshotId, vnc: chosen === screen, toolFolder: toolFolder() };
    try {
      const booted = await runOn(this.#parts, configured, title, (repository, options) =>
        this.#parts.client.call(
          "startBoot",
          { repository, ...argument },
          {
            ...options,
            onLate: ({ boot }) => this.#stopLate("stopBoot", { boot }),
          },
        ),
      );
      this.#showMachine(booted);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== "TOOL_MISSING") throw error;
      this.#log.error(logText(error));
      // not awaited: the command is done
      tellMissing(error).catch((failure: unknown) => showError(failure, this.#log));
    }
  }

  async stopMachine(): Promise<void> {
    const thing = await this.running.pick(this.running.of("machine"), l10n.t("Stop which machine?"));
    await thing?.stop();
  }

  #showMachine(booted: BootData): void {
    const start = { number: ++this.#started, time: timeOfDay(Date.now(), env.language) };
    const terminal = window.createTerminal({
      name: l10n.t("{0} #{1} (from backup, {2})", booted.machine, start.number, start.time),
      iconPath: new ThemeIcon("vm-running"),
      pty: new BootTerminal(this.#parts.client, booted, this.#log, () => this.running.remove(thing)),
      isTransient: true,
    });
    // closing the terminal ends the machine
    const stop = async () => terminal.dispose();
    const thing: RunningThing = { kind: "machine", booted, start, terminal, stop };
    this.running.add(thing);
    terminal.show();
    if (booted.vncSocket !== null) {
      this.#log.info(`VNC: ${booted.vncSocket}`);
      this.#offerScreen(booted.vncSocket, thing).catch((error: unknown) => showError(error, this.#log));
    }
  }

  async #offer(served: NbdData, thing: RunningThing): Promise<void> {
    const uris = served.disks.map(({ uri }) => uri);
    const [copy, connect, stop] = [l10n.t("Copy Address"), l10n.t("Copy Command…"), l10n.t("Stop")];
    const text = l10n.t("{0} is served read-only until this window closes: {1}", served.machine, uris[0] ?? "");
    const chosen = await window.showInformationMessage(text, connect, copy, stop);
    if (chosen === copy) await copyWithWord(uris.join("\n"));
    if (chosen === connect) await this.running.showActions(thing);
    if (chosen === stop) await thing.stop();
  }

  async #offerScreen(socket: string, thing: RunningThing): Promise<void> {
    const [copy, connect] = [l10n.t("Copy Path"), l10n.t("Copy Command…")];
    const text = l10n.t("Its screen is on the unix socket {0}: open it with a VNC viewer.", socket);
    const chosen = await window.showInformationMessage(text, connect, copy);
    if (chosen === copy) await copyWithWord(socket);
    if (chosen === connect) await this.running.showActions(thing);
  }

  async #stopServing({ server, machine }: NbdData, thing: RunningThing): Promise<void> {
    await this.#parts.client.call("stopNbd", { server });
    this.running.remove(thing);
    window.setStatusBarMessage(l10n.t("{0} is not served any more.", machine), 5000);
  }

  async #target(given: Node | undefined, title: string): Promise<TargetSnapshot | undefined> {
    return (await isTrusted()) ? await this.#parts.choose.snapshot(given, title) : undefined;
  }
}

/** With the package that brings it, and the setting that says where it is. */
async function tellMissing({ message, data }: ServiceError): Promise<void> {
  const command = `sudo apt-get install ${String(data.debianPackage)}`;
  const [copy, setting] = [l10n.t("Copy Install Command"), l10n.t("Open Setting")];
  const text = l10n.t(
    "{0}. On Debian and Ubuntu: {1}. Elsewhere, the setting reprise.qemuPath says where it is.",
    message,
    command,
  );
  const chosen = await window.showErrorMessage(withoutLinks(text), copy, setting);
  if (chosen === copy) await env.clipboard.writeText(command);
  if (chosen === setting) await commands.executeCommand("workbench.action.openSettings", "reprise.qemuPath");
}

function nameOf({ snapshot }: TargetSnapshot): string {
  return `${snapshot.machine} ${dateAndTime(snapshot.timeMs, env.language)}`;
}
