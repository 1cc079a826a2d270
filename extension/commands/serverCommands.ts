// What runs on until it is stopped: disks of a snapshot by NBD, and machines started from one. Nothing of it outlives the window.

import { commands, EventEmitter, env, type LogOutputChannel, l10n, type Pseudoterminal, window } from "vscode";
import { isAbort } from "../adapt/cancellation.js";
import { errorText, showError } from "../adapt/errors.js";
import { toolFolder } from "../adapt/toolFolder.js";
import { dateAndTime } from "../model/words.js";
import type { BootData, NbdData } from "../service/actionsProtocol.js";
import type { ServiceClient } from "../service/client.js";
import type { Node } from "../views/nodes.js";
import { type ActionParts, isTrusted, runOn, type TargetSnapshot } from "./actionParts.js";

export class ServerCommands {
  readonly #parts: ActionParts;
  readonly #log: LogOutputChannel;
  readonly #served = new Map<number, NbdData>();

  constructor(parts: ActionParts, log: LogOutputChannel) {
    this.#parts = parts;
    this.#log = log;
  }

  /** The service has died, and everything with it. */
  forgetAll(): void {
    this.#served.clear();
    this.#setContext();
  }

  async serveNbd(given?: Node): Promise<void> {
    const target = await this.#target(given, l10n.t("Serve which snapshot?"));
    if (target === undefined) return;
    const { configured, snapshot } = target;
    const title = l10n.t("Serving {0} by NBD", nameOf(target));
    const served = await runOn(this.#parts, configured, title, (repository, options) =>
      this.#parts.client.call("startNbd", { repository, snapshot: snapshot.snapshotId }, options),
    );
    this.#served.set(served.server, served);
    this.#setContext();
    for (const { uri } of served.disks) this.#log.info(`NBD: ${uri}`);
    // the command is done; the answer may take long
    this.#offer(served).catch((error: unknown) => showError(error, this.#log));
  }

  async stopNbd(): Promise<void> {
    const items = [...this.#served.values()].map((served) => ({
      label: served.machine,
      description: served.disks.map(({ uri }) => uri).join(" "),
      served,
    }));
    const chosen =
      items.length <= 1 ? items[0] : await window.showQuickPick(items, { title: l10n.t("Stop which NBD server?") });
    if (chosen === undefined) {
      if (items.length === 0) void window.showInformationMessage(l10n.t("No NBD server is running."));
      return;
    }
    await this.#stop(chosen.served);
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
    const booted = await runOn(this.#parts, configured, title, (repository, options) =>
      this.#parts.client.call("startBoot", { repository, ...argument }, options),
    );
    const terminal = window.createTerminal({
      name: l10n.t("{0} (from backup)", booted.machine),
      pty: new BootTerminal(this.#parts.client, booted, this.#log),
      isTransient: true,
    });
    terminal.show();
    if (booted.vncSocket !== null) void offerScreen(booted.vncSocket);
  }

  async #offer(served: NbdData): Promise<void> {
    const [disk] = served.disks;
    if (disk === undefined) return;
    const [copy, convert, stop] = [l10n.t("Copy Address"), l10n.t("Copy nbdcopy Command"), l10n.t("Stop")];
    const text = l10n.t("{0} is served read-only until this window closes: {1}", served.machine, disk.uri);
    const chosen = await window.showInformationMessage(text, copy, convert, stop);
    if (chosen === copy) await env.clipboard.writeText(served.disks.map(({ uri }) => uri).join("\n"));
    if (chosen === convert)
      await env.clipboard.writeText(
        served.disks.map(({ name, uri }) => `nbdcopy --progress '${uri}' '${name}.img'`).join("\n"),
      );
    if (chosen === stop) await this.#stop(served);
  }

  async #stop({ server, machine }: NbdData): Promise<void> {
    await this.#parts.client.call("stopNbd", { server });
    this.#served.delete(server);
    this.#setContext();
    window.setStatusBarMessage(l10n.t("{0} is not served any more.", machine), 5000);
  }

  #setContext(): void {
    void commands.executeCommand("setContext", "reprise.nbdRunning", this.#served.size > 0);
  }

  async #target(given: Node | undefined, title: string): Promise<TargetSnapshot | undefined> {
    return (await isTrusted()) ? await this.#parts.choose.snapshot(given, title) : undefined;
  }
}

/** A machine's serial console. Closing it ends the machine. */
class BootTerminal implements Pseudoterminal {
  readonly #client: ServiceClient;
  readonly #booted: BootData;
  readonly #log: LogOutputChannel;
  readonly #written = new EventEmitter<string>();
  readonly #closed = new EventEmitter<number>();
  readonly onDidWrite = this.#written.event;
  readonly onDidClose = this.#closed.event;
  readonly #ended = new AbortController();

  constructor(client: ServiceClient, booted: BootData, log: LogOutputChannel) {
    this.#client = client;
    this.#booted = booted;
    this.#log = log;
  }

  open(): void {
    const { hardware, accelerator, notes } = this.#booted;
    const lines = [
      `${hardware} (${accelerator})`,
      ...notes,
      l10n.t("Nothing it writes is kept. Closing this terminal ends it."),
    ];
    for (const line of lines) this.#written.fire(`\u001b[2m${line}\u001b[0m\r\n`);
    void this.#follow();
  }

  close(): void {
    this.#ended.abort();
    const { boot } = this.#booted;
    this.#client.call("stopBoot", { boot }).catch((error: unknown) => this.#log.error(errorText(error)));
  }

  handleInput(text: string): void {
    const { boot } = this.#booted;
    this.#client.call("bootInput", { boot, text }).catch((error: unknown) => this.#log.warn(errorText(error)));
  }

  async #follow(): Promise<void> {
    const { boot } = this.#booted;
    const decoder = new TextDecoder();
    const { signal } = this.#ended;
    try {
      for (;;) {
        const { bytes, end } = await this.#client.call("bootOutput", { boot }, { signal });
        this.#written.fire(decoder.decode(bytes, { stream: true }));
        if (end === null) continue;
        for (const error of end.readErrors) this.#log.error(error);
        this.#written.fire(`\r\n\u001b[2m${end.description}\u001b[0m\r\n`);
        await this.#client.call("stopBoot", { boot });
        return;
      }
    } catch (error) {
      if (!isAbort(error)) this.#written.fire(`\r\n${errorText(error)}\r\n`);
    }
  }
}

async function offerScreen(socket: string): Promise<void> {
  const copy = l10n.t("Copy Path");
  const text = l10n.t("Its screen is on the unix socket {0}: open it with a VNC viewer.", socket);
  if ((await window.showInformationMessage(text, copy)) === copy) await env.clipboard.writeText(socket);
}

function nameOf({ snapshot }: TargetSnapshot): string {
  return `${snapshot.machine} ${dateAndTime(snapshot.timeMs, env.language)}`;
}
