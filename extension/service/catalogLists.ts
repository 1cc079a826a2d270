// Machines and snapshots as the editor's side gets them, a page at a time. What cannot be read is told, never left out silently.

import { type Catalog, inertLine, RepriseError, type Snapshot } from "../../core/index.js";
import { machineOf, snapshotDataOf } from "./catalogAnswers.js";
import { parseCatalogFilter } from "./catalogFilter.js";
import { filtered, type IndexedMachine, indexOf, matching } from "./catalogIndex.js";
import {
  type ArgumentOf,
  type CatalogData,
  MAX_PAGE,
  type MachineData,
  type MachinePage,
  type SnapshotData,
  type SnapshotPage,
} from "./protocol.js";
import { type CallContext, count, type Session } from "./session.js";

/** All machines, by name. */
export async function readCatalog(session: Session, context: CallContext, refresh = false): Promise<CatalogData> {
  const catalog = await session.catalog(context, refresh);
  const machines = indexOf(catalog).machines();
  return {
    machines: machines.map((machine) => machineData(machine, machine.snapshots.length, session)),
    snapshots: catalog.snapshots.length,
    unreadable: unreadableData(catalog),
  };
}

export async function listMachines(
  session: Session,
  argument: ArgumentOf<"machines">,
  context: CallContext,
): Promise<MachinePage> {
  const index = await session.index(context, argument.waitMs);
  const filter = parseCatalogFilter(argument.filter ?? "");
  const left = filtered(index, filter);
  const ofNamespace = Map.groupBy(left, ({ namespace }) => namespace);
  const wanted = ofNamespace.get(argument.namespace) ?? [];
  const offset = count(argument.offset);
  const page = wanted.slice(offset, offset + Math.min(count(argument.limit), MAX_PAGE));
  const items = page.map((machine): MachineData => {
    const data = machineData(machine, index.machine(machine.machine)?.snapshots.length ?? 0, session);
    return filter?.isAboutSnapshots ? { ...data, matching: machine.snapshots.length } : data;
  });
  const namespaces = [...ofNamespace].filter(([namespace]) => namespace !== "");
  return {
    items,
    total: wanted.length,
    namespaces: namespaces.map(([namespace, machines]) => ({ namespace, machines: machines.length })),
    matching: { machines: left.length, snapshots: left.reduce((sum, { snapshots }) => sum + snapshots.length, 0) },
    unreadable: unreadableData(index),
    reading: index.reading,
  };
}

/** MACHINE_NOT_FOUND only when all has been read. */
export async function listSnapshots(
  session: Session,
  argument: ArgumentOf<"snapshots">,
  context: CallContext,
): Promise<SnapshotPage> {
  const index = await session.index(context, argument.waitMs);
  const machine = index.machine(argument.machine);
  if (machine === undefined && index.reading === null) throw machineNotFound(argument.machine);
  const all = matching(machine?.snapshots ?? [], parseCatalogFilter(argument.filter ?? ""));
  const end = all.length - count(argument.offset);
  const page = all.slice(Math.max(0, end - Math.min(count(argument.limit), MAX_PAGE)), Math.max(0, end));
  const items = page.reverse().map((snapshot) => snapshotDataOf(snapshot, session.isEncrypted));
  return { items, total: all.length, reading: index.reading };
}

/** However many the machine has. SNAPSHOT_NOT_FOUND. */
export async function snapshotBefore(session: Session, id: string, context: CallContext): Promise<SnapshotData | null> {
  const machine = machineOf(await session.snapshot(id, context));
  const all = indexOf(await session.catalog(context)).machine(machine)?.snapshots ?? [];
  const before = all[all.findIndex(({ sid }) => sid === id) - 1];
  return before === undefined ? null : snapshotDataOf(before, session.isEncrypted);
}

function machineData(
  { machine, namespace, group, snapshots }: IndexedMachine,
  all: number,
  session: Session,
): MachineData {
  const newest = snapshotDataOf(snapshots.at(-1) as Snapshot, session.isEncrypted);
  return { machine, namespace, group, snapshots: all, newest };
}

function unreadableData({ unreadable }: Pick<Catalog, "unreadable">): CatalogData["unreadable"] {
  return unreadable.map(({ object, message }) => ({ object, message: inertLine(message) }));
}

function machineNotFound(machine: string): RepriseError {
  return new RepriseError("not-found", "MACHINE_NOT_FOUND", `there is no machine ${machine}`, {
    data: { name: machine },
    hint: "refresh the list: its snapshots may have been forgotten",
  });
}
