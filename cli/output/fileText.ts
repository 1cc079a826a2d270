// Files and folders inside a snapshot, as `ls -l` shows them.

import { formatName, formatTreePath, type ListedFile } from "../../core/index.js";
import { tableLines } from "./table.js";
import { type Line, type Span, styled } from "./text.js";
import { bytesText, localTimeText } from "./units.js";

const KIND_LETTERS: Record<ListedFile["kind"], string> = {
  disk: "D",
  volume: "V",
  file: "-",
  directory: "d",
  symlink: "l",
  "character-device": "c",
  "block-device": "b",
  fifo: "p",
  socket: "s",
  special: "?",
  unreadable: "!",
};

/** With the whole path in recursive listings, else the name alone; a slash behind what can be entered. */
export function fileName(file: ListedFile, wholePath: boolean): Span[] {
  const name = wholePath ? formatTreePath(file.path) : formatName(file.path.at(-1) ?? new Uint8Array(0));
  const folder = file.kind === "directory" || file.kind === "disk" || file.fileSystem !== null;
  return [folder ? styled("bold", `${name}/`) : name, ...remarkOf(file)];
}

export function longListing(files: readonly ListedFile[], wholePath: boolean): Line[] {
  const columns = [
    { title: "MODE" },
    { title: "OWNER" },
    { title: "SIZE", align: "right" },
    { title: "MODIFIED" },
    { title: "NAME" },
  ] as const;
  return tableLines(
    columns,
    files.map((file) => [modeText(file), ownerText(file), sizeText(file), timeText(file), fileName(file, wholePath)]),
  );
}

/** `-rwxr-xr-x`; letters of their own for disks, volumes and what cannot be read. */
export function modeText({ kind, stat }: ListedFile): string {
  const mode = stat?.mode;
  const letter = KIND_LETTERS[kind];
  if (mode === null || mode === undefined) return letter;
  const bits = [6, 3, 0].map((shift, who) => {
    const [read, write, execute] = [4, 2, 1].map((bit) => ((mode >> shift) & bit) !== 0);
    const special = ((mode >> 9) & [4, 2, 1][who]!) !== 0;
    const mark = who === 2 ? "t" : "s";
    const last = special ? (execute ? mark : mark.toUpperCase()) : execute ? "x" : "-";
    return `${read ? "r" : "-"}${write ? "w" : "-"}${last}`;
  });
  return letter + bits.join("");
}

function ownerText({ stat }: ListedFile): string {
  return stat === null || stat.uid === null ? "" : `${stat.uid}:${stat.gid ?? "?"}`;
}

function sizeText({ stat, sizeBytes }: ListedFile): string {
  if (stat?.device) return `${stat.device.major}, ${stat.device.minor}`;
  return sizeBytes === null ? "" : bytesText(sizeBytes);
}

function timeText({ stat }: ListedFile): string {
  const ns = stat?.modifiedAtNs;
  return ns === null || ns === undefined ? "" : localTimeText(Number(ns / 1_000_000n));
}

function remarkOf(file: ListedFile): Span[] {
  if (file.target !== null) return [" -> ", formatName(file.target)];
  if (file.problem !== null) return ["  ", styled("red", file.problem.message)];
  if (file.stat?.special !== undefined) return ["  ", styled("yellow", file.stat.special)];
  if (file.volume === null) return [];
  const { description, partition, remarks } = file.volume;
  const { fileSystem } = file;
  const what = fileSystem === null ? description : fileSystem.type;
  const label = fileSystem?.label || partition?.label || "";
  const used = fileSystem?.usedBytes ?? null;
  const facts = [
    what,
    label === "" ? "" : `"${label}"`,
    partition === null ? "" : partition.type,
    used === null ? "" : `${bytesText(used)} used`,
    ...remarks,
    ...(fileSystem?.remarks ?? []),
  ];
  return ["  ", styled("dim", facts.filter((fact) => fact !== "").join(", "))];
}
