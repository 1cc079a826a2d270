import {
  ACCELERATORS,
  type BootedSnapshot,
  bootSnapshot,
  DISK_BUSES,
  type MachineEnd,
  type MachineNetwork,
  NIC_MODELS,
  resolveSnapshot,
} from "../../core/index.js";
import { attachConsole } from "../attachConsole.js";
import type { Context } from "../context.js";
import { type Given, usageError, wrongValue } from "../given/given.js";
import { SNAPSHOT_OPERAND } from "../given/snapshotOperands.js";
import { styled } from "../output/text.js";
import { elapsedText } from "../output/units.js";
import { snapshotReference } from "../snapshotDocument.js";
import type { Answer, Verb } from "../verb.js";

const NETWORKS = ["isolated", "none"] as const;
const STANDARD_SUBNET = "10.0.2.0/24";
const STANDARD_GATEWAY = "10.0.2.2";

export const bootVerb: Verb = {
  name: "boot",
  summary: "start a machine straight from a snapshot",
  details: [
    "Nothing is restored: disks are fetched as the machine reads them, and what it writes is thrown away when it ends. Its hardware is that of the configuration in the snapshot, if there is one.",
    "The serial console is this terminal; Ctrl-] ends the machine. It reaches neither this host nor any network; --forward lets this host in.",
  ],
  operands: [SNAPSHOT_OPERAND],
  options: [
    { flags: "--memory <MiB>", description: "memory of the machine" },
    { flags: "--cpus <count>", description: "processors of the machine" },
    { flags: "--disk-bus <bus>", description: "what all disks are attached to", choices: DISK_BUSES },
    { flags: "--nic <model>", description: "model of the network cards", choices: NIC_MODELS },
    { flags: "--uefi", description: "start by UEFI" },
    { flags: "--tpm", description: "with an empty TPM" },
    { flags: "--accelerator <kind>", description: "how it is run", choices: ACCELERATORS, standard: "auto" },
    { flags: "--network <mode>", description: "its network", choices: NETWORKS, standard: "isolated" },
    { flags: "--subnet <network>", description: "the IPv4 network it finds itself in", standard: STANDARD_SUBNET },
    { flags: "--gateway <address>", description: "the router of that network", standard: STANDARD_GATEWAY },
    { flags: "--forward <port>", description: "let this host reach a port of the machine", many: true },
    {
      flags: "--display <kind>",
      description: "vnc: its screen on a unix socket",
      choices: ["none", "vnc"],
      standard: "none",
    },
  ],
  examples: [
    { command: "reprise boot vm/web1@latest", meaning: "its console here, until it is switched off or Ctrl-]" },
    {
      command: "reprise boot vm/db1~1 --forward 5432 --display vnc",
      meaning: "reach its database on a port of 127.0.0.1 that is printed, and its screen with a VNC viewer",
    },
  ],
  run: runBoot,
};

async function runBoot(context: Context, given: Given): Promise<Answer> {
  const network = networkOf(given);
  const memoryMiB = given.integer("memory", 16, 4 * 1024 * 1024) ?? null;
  const cpus = given.integer("cpus", 1, 255) ?? null;
  const { repository, catalog } = await context.openCatalog();
  const snapshot = resolveSnapshot(given.operand(0), catalog);
  const booted = context.closeLater(
    await bootSnapshot(
      {
        ...{ repository, snapshot, network },
        wishes: {
          ...{ memoryMiB, cpus, machineType: null, secureBoot: null },
          firmware: given.flag("uefi") ? "uefi" : null,
          tpm: given.flag("tpm") ? true : null,
          diskBus: oneOf(DISK_BUSES, given.text("diskBus")) ?? null,
          nicModel: oneOf(NIC_MODELS, given.text("nic")) ?? null,
        },
        accelerator: oneOf(ACCELERATORS, given.text("accelerator")) ?? "auto",
        vnc: given.text("display") === "vnc",
      },
      context.options,
    ),
  );
  const started = describe(booted, network);
  if (context.settings.json)
    await writeJsonLine(context, { event: "started", ...snapshotReference(snapshot), ...started });
  else announce(context, booted, started.forwards);
  const end = await untilItsEnd(context, booted);
  const { description, kind, atMs } = end;
  const ranMs = Math.round(atMs - booted.machine.poweredOnAtMs);
  const readErrors = booted.readErrors();
  await booted.close();
  for (const message of readErrors) context.onWarning({ code: "NBD_READ_FAILED", message });
  const isFine = kind === "powered-off" || kind === "killed";
  return {
    document: { ...snapshotReference(snapshot), ...started, end: { kind, description }, ranMs, readErrors },
    lines: [],
    summary: [`the machine ran for ${elapsedText(ranMs)}: ${kind === "killed" ? "ended here" : description}`],
    ...(isFine ? {} : { failed: true as const }),
  };
}

/** Its own end, Ctrl-], or an interruption of ours. */
async function untilItsEnd(context: Context, { machine }: BootedSnapshot): Promise<MachineEnd> {
  const detach = attachConsole(machine.serial, context.io, {
    isQuiet: context.settings.json,
    onEscape: () => void machine.stop(),
  });
  const onAbort = () => void machine.stop();
  context.signal.addEventListener("abort", onAbort, { once: true });
  if (context.signal.aborted) onAbort();
  try {
    return await machine.end;
  } finally {
    context.signal.removeEventListener("abort", onAbort);
    detach();
  }
}

function describe({ machine, shape, accelerator, notes }: BootedSnapshot, network: MachineNetwork) {
  const forwards = network.mode === "none" ? [] : network.forwards;
  return {
    hypervisor: `QEMU ${machine.version}`,
    accelerator: accelerator.kind,
    acceleratorReason: accelerator.reason,
    memoryMiB: shape.memoryMiB,
    cpus: shape.cpus,
    machineType: shape.machineType,
    firmware: shape.firmware.kind,
    disks: shape.disks.map(({ name, bus }) => ({ name, bus })),
    network: network.mode,
    forwards: forwards.map(({ guestPort }) => ({ guestPort, hostPort: machine.hostPort(guestPort) })),
    vncSocket: machine.vncSocketPath,
    notes,
  };
}

function announce(
  context: Context,
  { machine, shape, accelerator, notes }: BootedSnapshot,
  forwards: readonly { guestPort: number; hostPort: number }[],
): void {
  const hardware = `${shape.machineType}, ${shape.memoryMiB} MiB, ${shape.cpus} CPU, ${shape.firmware.kind.toUpperCase()}`;
  context.note([`started with `, styled("bold", hardware), ` (${accelerator.kind}: ${accelerator.reason})`]);
  for (const note of notes) context.note(`  ${note}`);
  for (const { guestPort, hostPort } of forwards)
    context.note([`  port ${guestPort}: `, styled("bold", `127.0.0.1:${hostPort}`)]);
  if (machine.vncSocketPath !== null) context.note([`  screen: `, styled("bold", machine.vncSocketPath)]);
  context.note(`nothing it writes is kept; ${context.io.stdin.isTTY ? "Ctrl-]" : "Ctrl-C"} ends it`);
}

async function writeJsonLine(context: Context, value: object): Promise<void> {
  await context.writeData(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
}

function networkOf(given: Given): MachineNetwork {
  const ports = given.texts("forward").map((text) => {
    const port = Number(text);
    if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65535) return port;
    throw wrongValue("--forward", text, "a port, 1 to 65535");
  });
  if (given.text("network") === "none") {
    if (ports.length > 0 || given.has("subnet") || given.has("gateway"))
      throw usageError("--network none does not go together with --forward, --subnet and --gateway");
    return { mode: "none" };
  }
  const [subnet, gateway] = [given.text("subnet"), given.text("gateway")];
  if ((subnet === undefined) !== (gateway === undefined)) throw usageError("--subnet and --gateway belong together");
  return {
    mode: "isolated",
    subnet: subnet ?? STANDARD_SUBNET,
    gateway: gateway ?? STANDARD_GATEWAY,
    forwards: [...new Set(ports)].map((guestPort) => ({ guestPort })),
  };
}

function oneOf<T extends string>(choices: readonly T[], text: string | undefined): T | undefined {
  return choices.find((choice) => choice === text);
}
